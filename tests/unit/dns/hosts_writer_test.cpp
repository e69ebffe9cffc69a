// SPDX-License-Identifier: Apache-2.0
#include <redial/dns/hosts_writer.hpp>

#include "dns/file_probe.hpp"
#include "dns/hosts_watch.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <thread>

namespace redial {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using detail::stat_file;

std::vector<address> list(const std::vector<std::string>& texts) {
  std::vector<address> all;
  for (const auto& t : texts) all.push_back(parse_address(t).value());
  return all;
}

struct HostsWriter : ::testing::Test {
  fs::path where;
  hosts_update update;

  void SetUp() override {
    auto name = (fs::temp_directory_path() / "redial-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    where = name;
    update.path = (where / "hosts").string();
  }
  void TearDown() override { fs::remove_all(where); }

  void write(const std::string& text) const {
    std::ofstream(update.path, std::ios::binary) << text;
  }
  std::string read() const {
    return detail::read_file(update.path, 1'000'000).value_or("(unreadable)");
  }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator{where}, {}));
  }
  // What it says when it refuses; empty when it does not.
  std::string refusal() const {
    try {
      static_cast<void>(write_hosts(update));
    } catch (const std::invalid_argument& e) {
      return e.what();
    }
    return {};
  }
  // 200 rewrites during which somebody reads all the time. Returns how many reads there were that
  // lacked the last name.
  std::size_t rewrite_under_a_reader();
};

TEST_F(HostsWriter, GivesNamesTheirAddresses) {
  write("127.0.0.1 localhost\n10.0.0.1 calc\n# end\n");
  update.hosts["calc"] = list({"10.0.0.2", "fd00::2"});
  update.hosts["db"] = list({"10.0.0.3"});
  EXPECT_EQ(write_hosts(update), error_code{});
  EXPECT_EQ(read(), "127.0.0.1 localhost\n10.0.0.2\tcalc\nfd00::2\tcalc\n10.0.0.3\tdb\n# end\n");
  EXPECT_EQ(files(), 1U);
}

TEST_F(HostsWriter, ANewFile) {
  update.hosts["calc"] = list({"10.0.0.2"});
  EXPECT_EQ(write_hosts(update), error_code{});
  EXPECT_EQ(read(), "10.0.0.2\tcalc\n");
  EXPECT_EQ(fs::status(update.path).permissions() & fs::perms::others_write, fs::perms::none);
}

TEST_F(HostsWriter, NamesAreMadeCanonicalAndDuplicatesDropped) {
  update.hosts["CALC."] = list({"10.0.0.2", "::ffff:10.0.0.2", "10.0.0.1"});
  update.hosts["calc"] = list({"10.0.0.1", "10.0.0.3"});
  EXPECT_EQ(write_hosts(update), error_code{});
  EXPECT_EQ(read(), "10.0.0.2\tcalc\n10.0.0.1\tcalc\n10.0.0.3\tcalc\n");
}

TEST_F(HostsWriter, AnEqualFileIsNotTouched) {
  update.hosts["calc"] = list({"10.0.0.2"});
  ASSERT_EQ(write_hosts(update), error_code{});
  const auto before = stat_file(update.path);
  EXPECT_EQ(write_hosts(update), error_code{});
  EXPECT_EQ(stat_file(update.path), before);
}

TEST_F(HostsWriter, NoNamesNoFile) {
  EXPECT_EQ(write_hosts(update), error_code{});
  EXPECT_EQ(files(), 0U);
}

TEST_F(HostsWriter, ANameWithoutAddressesIsAnErrorAndNothingIsWritten) {
  write("10.0.0.1 calc\n");
  update.hosts["calc"] = {};
  update.hosts["db"] = list({"10.0.0.3"});
  EXPECT_EQ(write_hosts(update), make_error_code(errc::no_data));
  EXPECT_EQ(read(), "10.0.0.1 calc\n");
}

TEST_F(HostsWriter, RefusesWhatMayNotBeWrittenByItsName) {
  for (const char* name : {"",
                           "a b",
                           "a\nb",
                           "a#b",
                           "10.0.0.1",
                           "::1",
                           "localhost",
                           "x.localhost",
                           "LOCALHOST.",
                           "gr\xC3\xBCn",
                           "a..b"}) {
    update.hosts = {{name, list({"10.0.0.1"})}};
    EXPECT_NE(refusal().find("hosts_update.hosts: '" + std::string(name) + "'"), std::string::npos)
        << name << ": " << refusal();
  }
  for (const char* a : {"0.0.0.0", "::", "224.0.0.1", "255.255.255.255"}) {
    update.hosts = {{"calc", list({"10.0.0.1", a})}};
    EXPECT_NE(refusal().find(a), std::string::npos) << refusal();
  }
  update.hosts = {{"calc", list({"10.0.0.1"})}};
  update.path = "";
  EXPECT_NE(refusal().find("hosts_update.path"), std::string::npos) << refusal();
  EXPECT_EQ(files(), 0U);
}

TEST_F(HostsWriter, FollowsLinks) {
  write("10.0.0.1 calc\n");
  ASSERT_EQ(::chmod(update.path.c_str(), 0600), 0);
  fs::create_directory(where / "sub");
  fs::create_symlink("../hosts", where / "sub" / "link");
  update.path = (where / "sub" / "link").string();
  update.hosts["calc"] = list({"10.0.0.2"});
  EXPECT_EQ(write_hosts(update), error_code{});
  EXPECT_TRUE(fs::is_symlink(update.path));
  EXPECT_EQ(detail::read_file((where / "hosts").string(), 1000), "10.0.0.2\tcalc\n");
  EXPECT_EQ(fs::status(where / "hosts").permissions(), fs::perms{0600});
}

TEST_F(HostsWriter, KeepsTheSystemsError) {
  update.hosts["calc"] = list({"10.0.0.2"});
  update.path = where.string();
  EXPECT_EQ(write_hosts(update), error_code(EINVAL, boost::system::system_category()));
  update.path = (where / "no" / "hosts").string();
  EXPECT_EQ(write_hosts(update), error_code(ENOENT, boost::system::system_category()));
  update.path = (where / "hosts").string();
  write(std::string((16U << 20U) + 1, '\n'));
  EXPECT_EQ(write_hosts(update), error_code(EFBIG, boost::system::system_category()));
}

// As an unprivileged user, which root's tests can become in a child.
TEST_F(HostsWriter, InPlaceWhereTheDirectoryMayNotBeWritten) {
  write("10.0.0.1 calc\n10.0.0.2 calc\n");
  ASSERT_EQ(::chmod(update.path.c_str(), 0666), 0);
  ASSERT_EQ(::chmod(where.c_str(), 0555), 0);
  const auto inode = stat_file(update.path).inode;
  update.hosts["calc"] = list({"10.0.0.3"});
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    constexpr id_t nobody = 65534;
    if (::geteuid() == 0 && (::setgid(nobody) != 0 || ::setuid(nobody) != 0)) ::_exit(99);
    ::_exit(write_hosts(update).value());
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(read(), "10.0.0.3\tcalc\n");
  EXPECT_EQ(stat_file(update.path).inode, inode);
  ASSERT_EQ(::chmod(where.c_str(), 0755), 0);
}

TEST_F(HostsWriter, WritersTakeTurns) {
  write("127.0.0.1 localhost\n");
  constexpr int writers = 4;
  constexpr int names = 10;
  std::atomic<int> failures = 0;
  std::vector<std::thread> all;
  for (int w = 0; w < writers; ++w) {
    all.emplace_back([&, w] {
      hosts_update mine;
      mine.path = update.path;
      for (int n = 0; n < names; ++n) {
        mine.hosts.clear();
        mine.hosts["w" + std::to_string(w) + "n" + std::to_string(n)] = list({"10.0.0.1"});
        if (write_hosts(mine)) ++failures;
      }
    });
  }
  for (auto& t : all) t.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(detail::hosts_table::parse(read()).entries().size(), std::size_t{writers * names});
  EXPECT_EQ(files(), 1U);
}

// `stays` comes last and so moves to and fro in the file; `moves` has one address or twelve.
std::size_t HostsWriter::rewrite_under_a_reader() {
  write("127.0.0.1 localhost\n10.0.0.1 moves\n10.0.0.2 stays\n");
  std::atomic<bool> done = false;
  std::atomic<int> failures = 0;
  std::thread writer([&] {
    std::vector<address> many;
    for (int i = 0; i < 12; ++i)
      many.push_back(parse_address("10.1.0." + std::to_string(i)).value());
    for (int i = 0; i < 200; ++i) {
      update.hosts["moves"] = i % 2 == 0 ? many : list({"10.2.0." + std::to_string(i)});
      if (write_hosts(update)) ++failures;
    }
    done = true;
  });
  detail::hosts_watch watch;
  time_point now{1h};
  std::size_t torn = 0;
  const auto expected = list({"10.0.0.2"});
  do {
    const auto text = detail::read_file(update.path, 1'000'000);
    if (!text || text->find("10.0.0.2 stays\n") == std::string::npos) ++torn;
    static_cast<void>(watch.on_text(text, now));
    now += 1s;
    const auto* const stays = watch.find("stays");
    EXPECT_TRUE(stays != nullptr && *stays == expected) << text.value_or("(none)");
  } while (!done);
  writer.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(files(), 1U);  // and no temporary one
  static_cast<void>(watch.on_text(detail::read_file(update.path, 1'000'000), now));
  static_cast<void>(watch.on_time(now + 5s));
  EXPECT_EQ(*watch.find("moves"), list({"10.2.0.199"}));
  return torn;
}

TEST_F(HostsWriter, Fault74_AReaderOfReplacedFilesNeverSeesLessThanAll) {
  EXPECT_EQ(rewrite_under_a_reader(), 0U);
}

TEST_F(HostsWriter, Fault74_AReaderOfAFileChangedInPlaceLosesNoName) {
  update.path = (where / std::string(255, 'h')).string();  // no room for a temporary name
  write("");
  const auto inode = stat_file(update.path).inode;
  RecordProperty("torn_reads", static_cast<int>(rewrite_under_a_reader()));
  EXPECT_EQ(stat_file(update.path).inode, inode);
}

}  // namespace
}  // namespace redial
