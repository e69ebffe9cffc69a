// SPDX-License-Identifier: Apache-2.0
#include "dns/stable_file.hpp"

#include "dns/file_probe.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using namespace std::chrono_literals;
using wish = stable_file::wish;
using content = std::optional<std::string>;

// A file as a test sees it, and the rule applied to it.
struct StableFile : ::testing::Test {
  time_point now{1h};
  file_signature on_disk;
  content text;
  stable_file file;

  // A rewrite that shows.
  void write(content what) {
    text = std::move(what);
    on_disk.exists = text.has_value();
    on_disk.size = text ? static_cast<std::int64_t>(text->size()) : 0;
    ++on_disk.changed;
  }
  bool wants_read() { return file.on_stat(on_disk, now) == wish::read; }
  // What counts from now on, if anything new does.
  std::optional<content> look() {
    if (!wants_read()) return std::nullopt;
    const auto fresh = file.on_read(text, now);
    return fresh ? std::optional<content>{fresh->text} : std::nullopt;
  }
  void begin_with(content what) {
    write(std::move(what));
    EXPECT_EQ(look(), std::make_optional(text));
    now += 200ms;
    EXPECT_EQ(look(), std::nullopt);
    EXPECT_FALSE(file.pending());
    now += 1s;
  }
};

TEST_F(StableFile, TheFirstReadCountsAtOnce) {
  write("a");
  EXPECT_EQ(look(), std::make_optional(content{"a"}));
}

TEST_F(StableFile, AChangeCountsAfterTwoEqualReads200MsApart) {
  begin_with("a");
  write("b");
  EXPECT_EQ(look(), std::nullopt);
  EXPECT_TRUE(file.pending());
  EXPECT_EQ(file.next_read(), now + 200ms);
  now += 199ms;
  EXPECT_FALSE(wants_read());
  now += 1ms;
  EXPECT_EQ(look(), std::make_optional(content{"b"}));
  EXPECT_FALSE(file.pending());
  EXPECT_EQ(file.next_read(), time_point::max());
}

TEST_F(StableFile, AnEqualReadThatComesTooEarlyDoesNotCount) {
  begin_with("a");
  write("b");
  EXPECT_EQ(look(), std::nullopt);
  now += 100ms;
  ++on_disk.changed;
  EXPECT_EQ(look(), std::nullopt);
  EXPECT_EQ(file.next_read(), now + 100ms);
  now += 100ms;
  EXPECT_EQ(look(), std::make_optional(content{"b"}));
}

TEST_F(StableFile, Fault74_AWriterAtWorkStartsOver) {
  begin_with("10.0.0.1 a\n10.0.0.2 b\n");
  write("");
  EXPECT_EQ(look(), std::nullopt);
  for (const char* part : {"10.0", "10.0.0.1 a\n10.", "10.0.0.1 a\n10.0.0.3 b\n"}) {
    now += 200ms;
    write(part);
    EXPECT_EQ(look(), std::nullopt) << part;
  }
  now += 200ms;
  EXPECT_EQ(look(), std::make_optional(text));
}

TEST_F(StableFile, Fault74_ATornReadThatHealsChangesNothing) {
  begin_with("10.0.0.1 a\n");
  write("10.0.");
  EXPECT_EQ(look(), std::nullopt);
  now += 200ms;
  write("10.0.0.1 a\n");
  EXPECT_EQ(look(), std::nullopt);
  now += 200ms;
  EXPECT_EQ(look(), std::nullopt);
  EXPECT_FALSE(file.pending());
}

TEST_F(StableFile, AnUnchangedFileIsNotReadAgain) {
  begin_with("a");
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(wants_read());
    now += 1s;
  }
}

TEST_F(StableFile, EveryPartOfTheSignatureShowsAChange) {
  const auto shows = [this](auto change) {
    stable_file fresh;
    EXPECT_EQ(fresh.on_stat(on_disk, now), wish::read);
    EXPECT_TRUE(fresh.on_read("a", now));
    EXPECT_EQ(fresh.on_stat(on_disk, now), wish::nothing);
    file_signature other = on_disk;
    change(other);
    return fresh.on_stat(other, now) == wish::read;
  };
  write("a");
  EXPECT_TRUE(shows([](auto& s) { s.exists = false; }));
  EXPECT_TRUE(shows([](auto& s) { ++s.device; }));
  EXPECT_TRUE(shows([](auto& s) { ++s.inode; }));
  EXPECT_TRUE(shows([](auto& s) { ++s.size; }));
  EXPECT_TRUE(shows([](auto& s) { ++s.modified; }));
  EXPECT_TRUE(shows([](auto& s) { ++s.changed; }));
}

TEST_F(StableFile, ARewriteWithinTheSameTickIsSeen) {
  begin_with("a");
  write("b");
  EXPECT_EQ(look(), std::nullopt);
  text = "c";  // stat cannot tell
  now += 200ms;
  EXPECT_EQ(look(), std::nullopt);
  now += 200ms;
  EXPECT_EQ(look(), std::make_optional(content{"c"}));
}

TEST_F(StableFile, ARewriteWithinTheTickOfTheFirstReadIsSeen) {
  write("a");
  EXPECT_EQ(look(), std::make_optional(content{"a"}));
  text = "b";  // stat cannot tell
  now += 200ms;
  EXPECT_EQ(look(), std::nullopt);
  now += 200ms;
  EXPECT_EQ(look(), std::make_optional(content{"b"}));
}

TEST_F(StableFile, ARewriteWithinTheTickOfTheConfirmingReadIsSeen) {
  begin_with("a");
  write("b");
  EXPECT_EQ(look(), std::nullopt);
  now += 200ms;
  write("b");
  EXPECT_EQ(look(), std::make_optional(content{"b"}));
  EXPECT_TRUE(file.pending());
  text = "c";  // stat cannot tell
  now += 200ms;
  EXPECT_EQ(look(), std::nullopt);
  now += 200ms;
  EXPECT_EQ(look(), std::make_optional(content{"c"}));
  EXPECT_FALSE(file.pending());
}

TEST_F(StableFile, ARewriteWithinTheTickOfATouchIsSeen) {
  begin_with("a");
  now -= 1s - 10ms;  // right after the last look
  write("a");
  EXPECT_EQ(look(), std::nullopt);
  text = "b";  // stat cannot tell
  EXPECT_EQ(file.next_read(), now + 200ms);
  now += 200ms;
  EXPECT_EQ(look(), std::nullopt);
  now += 200ms;
  EXPECT_EQ(look(), std::make_optional(text));
}

TEST_F(StableFile, Fault74_AMissingFileCountsByTheSameRule) {
  begin_with("a");
  write(std::nullopt);
  EXPECT_EQ(look(), std::nullopt);
  now += 200ms;
  EXPECT_EQ(look(), std::make_optional(content{}));
  EXPECT_FALSE(file.pending());
  now += 1s;
  EXPECT_FALSE(wants_read());
  write("b");
  EXPECT_EQ(look(), std::nullopt);
  now += 200ms;
  EXPECT_EQ(look(), std::make_optional(content{"b"}));
}

TEST_F(StableFile, AnUnreadableFileIsTriedAtEveryPoll) {
  begin_with("a");
  text.reset();  // it is there, but opening it fails
  ++on_disk.changed;
  EXPECT_EQ(look(), std::nullopt);
  now += 200ms;
  EXPECT_EQ(look(), std::make_optional(content{}));
  EXPECT_FALSE(file.pending());
  for (int i = 0; i < 3; ++i) {
    now += 1s;
    EXPECT_TRUE(wants_read());
    EXPECT_FALSE(file.on_read(text, now));
  }
  text = "a";
  now += 1s;
  EXPECT_EQ(look(), std::nullopt);
  now += 200ms;
  EXPECT_EQ(look(), std::make_optional(content{"a"}));
}

// The same with real files.
struct FileProbe : ::testing::Test {
  std::filesystem::path where;

  void SetUp() override {
    auto name = (std::filesystem::temp_directory_path() / "redial-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    where = name;
  }
  void TearDown() override { std::filesystem::remove_all(where); }

  std::string path(const char* name = "file") const { return (where / name).string(); }
  void write(const std::string& text, const char* name = "file") const {
    std::ofstream(path(name), std::ios::binary) << text;
  }
};

TEST_F(FileProbe, ReadsAWholeFile) {
  const std::string text = std::string("a\0b\r\n", 5) + std::string(100'000, 'x');
  write(text);
  EXPECT_EQ(read_file(path(), 1'000'000), text);
  EXPECT_EQ(stat_file(path()).size, static_cast<std::int64_t>(text.size()));
  write("");
  EXPECT_EQ(read_file(path(), 10), "");
}

TEST_F(FileProbe, NothingThere) {
  EXPECT_EQ(stat_file(path()), file_signature{});
  EXPECT_EQ(read_file(path(), 10), std::nullopt);
}

TEST_F(FileProbe, TheLimitIsInclusive) {
  write("0123456789");
  EXPECT_EQ(read_file(path(), 10), "0123456789");
  EXPECT_EQ(read_file(path(), 9), std::nullopt);
}

TEST_F(FileProbe, AFileOfTheKernelSaysZeroAndIsReadAndBounded) {
  ASSERT_EQ(stat_file("/proc/self/status").size, 0);
  const auto text = read_file("/proc/self/status", 1'000'000);
  ASSERT_TRUE(text);
  EXPECT_GT(text->size(), 100U);
  EXPECT_EQ(read_file("/proc/self/status", 100), std::nullopt);
}

TEST_F(FileProbe, OnlyRegularFilesAreRead) {
  EXPECT_EQ(read_file(where.string(), 10), std::nullopt);
  EXPECT_EQ(read_file("/dev/zero", 10), std::nullopt);
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  EXPECT_EQ(read_file(path(), 10), std::nullopt);  // does not wait for a writer
  EXPECT_TRUE(stat_file(path()).exists);
}

TEST_F(FileProbe, FollowsLinks) {
  write("one", "a");
  write("two", "b");
  std::filesystem::create_symlink("a", where / "file");
  const auto first = stat_file(path());
  EXPECT_EQ(first, stat_file(path("a")));
  EXPECT_EQ(read_file(path(), 10), "one");
  std::filesystem::remove(where / "file");
  std::filesystem::create_symlink("b", where / "file");
  EXPECT_NE(stat_file(path()), first);
  EXPECT_EQ(read_file(path(), 10), "two");
}

TEST_F(FileProbe, AReplacementWithEqualSizeAndTimeShows) {
  write("one");
  write("two", "other");
  const auto then = std::filesystem::last_write_time(where / "file");
  const auto first = stat_file(path());
  std::filesystem::last_write_time(where / "other", then);
  std::filesystem::rename(where / "other", where / "file");
  const auto second = stat_file(path());
  EXPECT_EQ(second.size, first.size);
  EXPECT_EQ(second.modified, first.modified);
  EXPECT_NE(second, first);
}

TEST_F(FileProbe, LeavesNoDescriptorOpen) {
  write("a");
  const auto open_now = [] {
    const std::filesystem::directory_iterator all{"/proc/self/fd"};
    return std::distance(begin(all), end(all));
  };
  const auto before = open_now();
  for (int i = 0; i < 10; ++i) {
    (void)read_file(path(), 10);
    (void)read_file(path(), 0);
    (void)read_file(where.string(), 10);
  }
  EXPECT_EQ(open_now(), before);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
