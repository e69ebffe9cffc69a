// SPDX-License-Identifier: Apache-2.0
#include "dns/file_replace.hpp"

#include "dns/file_probe.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

namespace redial::inline REDIAL_ABI::detail {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t limit = 1'000'000;

error_code system_code(int code) { return {code, boost::system::system_category()}; }

struct FileReplace : ::testing::Test {
  fs::path where;

  void SetUp() override {
    auto name = (fs::temp_directory_path() / "redial-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    where = name;
  }
  void TearDown() override { fs::remove_all(where); }

  std::string path() const { return (where / "file").string(); }
  void write(const std::string& text) const { std::ofstream(path(), std::ios::binary) << text; }
  std::string read() const { return read_file(path(), limit).value_or("(unreadable)"); }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator{where}, {}));
  }
};

TEST_F(FileReplace, LockingReads) {
  const std::string text(10'000, 'x');
  write(text);
  {
    const auto f = lock_file(path(), limit);
    ASSERT_TRUE(f) << f.error().message();
    EXPECT_EQ(f->text, text);
    EXPECT_FALSE(f->cannot_write);
    EXPECT_EQ(f->seen, stat_file(path()));
  }
  EXPECT_EQ(lock_file(path(), text.size() - 1).error(), system_code(EFBIG));
}

TEST_F(FileReplace, AFreeNameIsMade) {
  const auto f = lock_file(path(), limit);
  ASSERT_TRUE(f) << f.error().message();
  EXPECT_EQ(f->text, "");
  EXPECT_EQ(stat_file(path()).size, 0);
  EXPECT_EQ(lock_file((where / "no" / "file").string(), limit).error(), system_code(ENOENT));
}

TEST_F(FileReplace, OnlyRegularFiles) {
  EXPECT_EQ(lock_file(where.string(), limit).error(), system_code(EINVAL));
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  EXPECT_EQ(lock_file(path(), limit).error(), system_code(EINVAL));
}

TEST_F(FileReplace, ALinkThatLeadsNowhereIsLeftAlone) {
  fs::create_symlink("nowhere", path());
  EXPECT_EQ(lock_file(path(), limit).error(), system_code(ENOENT));
  EXPECT_TRUE(fs::is_symlink(path()));
  EXPECT_EQ(files(), 1U);
}

TEST_F(FileReplace, RenamingMakesANewFileWithTheOldMode) {
  write("old");
  ASSERT_EQ(::chmod(path().c_str(), 0640), 0);
  fs::create_hard_link(path(), where / "same");
  auto f = lock_file(path(), limit);
  ASSERT_TRUE(f);
  EXPECT_EQ(rename_over(*f, "the new text"), error_code{});
  EXPECT_EQ(read(), "the new text");
  EXPECT_NE(stat_file(path()).inode, f->seen.inode);
  EXPECT_EQ(fs::status(path()).permissions(), fs::perms{0640});
  EXPECT_EQ(read_file((where / "same").string(), limit), "old");
  EXPECT_EQ(files(), 2U);
}

TEST_F(FileReplace, OverwritingKeepsTheFile) {
  const std::vector<std::string> texts = {
      "0123456789",
      "01234X6789",
      "0123456789",
      "0123",
      "0123456789abc",
      "",
      "x",
      "",
      "9876543210\nab",
      "98765\n",
  };
  write(texts[0]);
  const auto inode = stat_file(path()).inode;
  for (const auto& text : texts) {
    auto f = lock_file(path(), limit);
    ASSERT_TRUE(f);
    EXPECT_EQ(overwrite(*f, text), error_code{}) << text;
    EXPECT_EQ(read(), text);
  }
  EXPECT_EQ(stat_file(path()).inode, inode);
  EXPECT_EQ(files(), 1U);
}

TEST(FilePatch, IsAsShortAsItCanBe) {
  const auto is = [](std::string_view old, std::string_view text, std::size_t at, std::string b) {
    const patch p = patch_between(old, text);
    return p.at == at && p.bytes == b;
  };
  EXPECT_TRUE(is("", "", 0, ""));
  EXPECT_TRUE(is("abc", "abc", 0, ""));
  EXPECT_TRUE(is("", "abc", 0, "abc"));
  EXPECT_TRUE(is("abcd", "axxd", 1, "xx"));
  EXPECT_TRUE(is("abc", "abcde", 3, "de"));
  EXPECT_TRUE(is("abab", "ababab", 4, "ab"));
}

TEST(FilePatch, WhatShrinksIsFilledUpWithNewlines) {
  const std::string old = "10.0.0.1 a\n10.0.0.2 b\n10.0.0.3 c\n";
  const std::string text = "10.0.0.1 a\n10.0.0.3 c\n";
  const patch p = patch_between(old, text);
  std::string meanwhile = old;
  meanwhile.replace(p.at, p.bytes.size(), p.bytes);
  EXPECT_EQ(meanwhile, text + std::string(old.size() - text.size(), '\n'));
}

// The failed write in place of a replacement could cost the file its text: only where renaming is
// impossible for good is it tried.
TEST_F(FileReplace, ARenameThatFailsForAnotherReasonChangesNothing) {
  write("old");
  auto f = lock_file(path(), limit);
  ASSERT_TRUE(f);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const error_code ec = replace_text(*f, "new");
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(ec, system_code(EMFILE));
  EXPECT_EQ(read(), "old");
}

TEST_F(FileReplace, SomebodyElseHasChangedIt) {
  write("old");
  auto f = lock_file(path(), limit);
  ASSERT_TRUE(f);
  write("theirs");
  EXPECT_EQ(rename_over(*f, "ours"), system_code(EAGAIN));
  EXPECT_EQ(overwrite(*f, "ours"), system_code(EAGAIN));
  EXPECT_EQ(replace_text(*f, "ours"), system_code(EAGAIN));
  EXPECT_EQ(read(), "theirs");
  EXPECT_EQ(files(), 1U);
}

TEST_F(FileReplace, SomebodyElseHasReplacedIt) {
  write("old");
  auto f = lock_file(path(), limit);
  ASSERT_TRUE(f);
  fs::rename(path(), where / "old");
  write("theirs");
  EXPECT_EQ(replace_text(*f, "ours"), system_code(EAGAIN));
  EXPECT_EQ(overwrite(*f, "ours"), system_code(EAGAIN));
  EXPECT_EQ(read(), "theirs");
}

TEST_F(FileReplace, AFullDiskIsReported) {
  write("old");
  auto f = lock_file(path(), limit);
  ASSERT_TRUE(f);
  ASSERT_TRUE(fs::exists("/dev/full"));
  f->file = descriptor{::open("/dev/full", O_RDWR | O_CLOEXEC)};
  EXPECT_EQ(overwrite(*f, "new text"), system_code(ENOSPC));
  EXPECT_EQ(read(), "old");
}

TEST_F(FileReplace, AFileThatMayNotBeWritten) {
  write("old");
  auto f = lock_file(path(), limit);
  ASSERT_TRUE(f);
  f->cannot_write = system_code(EACCES);
  EXPECT_EQ(overwrite(*f, "new"), system_code(EACCES));
  EXPECT_EQ(read(), "old");
  EXPECT_EQ(replace_text(*f, "new"), error_code{});
  EXPECT_EQ(read(), "new");
}

TEST_F(FileReplace, WhereRenamingIsImpossibleTheFileIsChangedInPlace) {
  const auto longest = (where / std::string(255, 'n')).string();  // no room for a temporary name
  std::ofstream(longest) << "old text";
  const auto inode = stat_file(longest).inode;
  auto f = lock_file(longest, limit);
  ASSERT_TRUE(f) << f.error().message();
  EXPECT_EQ(rename_over(*f, "new"), system_code(ENAMETOOLONG));
  EXPECT_EQ(replace_text(*f, "new"), error_code{});
  EXPECT_EQ(read_file(longest, limit), "new");
  EXPECT_EQ(stat_file(longest).inode, inode);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
