// SPDX-License-Identifier: Apache-2.0
//
// Steps of rename_over: temporary file in the same directory, owner, mode, bytes, sync; look
// whether the old one is still what was read; rename; sync of the directory.
//
// Steps of overwrite, in the order that leaves the smallest window:
//   1. blocks for what grows are reserved, so that a full disk is noticed before anything is
//   changed
//   2. one write, from the first byte that differs on (to the last one, if the length stays). What
//      shrinks is filled up with newlines: no reader finds old bytes behind the new ones
//   3. sync, or a crash could keep the cut of step 4 and lose the bytes of step 2
//   4. the newlines too many are cut off; sync
#include "dns/file_replace.hpp"

#include "dns/file_probe.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {
namespace {

constexpr int most_replacements = 100;  // of the file, while we wait for its lock

error_code system_error(int code = errno) { return {code, boost::system::system_category()}; }

// `call` until no signal interrupts it.
template <class Call>
auto uninterrupted(const Call& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

error_code sync(int fd) {
  return uninterrupted([&] { return ::fsync(fd); }) == 0 ? error_code{} : system_error();
}

error_code write_all(int fd, std::string_view bytes, std::size_t at) {
  while (!bytes.empty()) {
    const auto put = uninterrupted(
        [&] { return ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(at)); });
    if (put < 0) return system_error();
    if (put == 0) return system_error(EIO);
    bytes.remove_prefix(static_cast<std::size_t>(put));
    at += static_cast<std::size_t>(put);
  }
  return {};
}

error_code read_all(int fd, std::size_t max_bytes, std::string& text) {
  text.resize(4096);
  std::size_t filled = 0;
  for (;;) {
    const auto got = uninterrupted([&] {
      return ::pread(fd, text.data() + filled, text.size() - filled, static_cast<off_t>(filled));
    });
    if (got < 0) return system_error();
    filled += static_cast<std::size_t>(got);
    if (filled > max_bytes) return system_error(EFBIG);
    if (got == 0) break;
    if (filled == text.size()) text.resize(2 * text.size());
  }
  text.resize(filled);
  return {};
}

// Through all links. One that leads nowhere is an error, a name that is free is not.
boost::system::result<std::string> target_of(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code ec;
  const fs::path target = fs::canonical(path, ec);
  if (!ec) return target.string();
  std::error_code ignored;
  const bool free = ec == std::errc::no_such_file_or_directory &&
                    fs::symlink_status(path, ignored).type() == fs::file_type::not_found;
  if (free) return path;
  return error_code{ec.value(), boost::system::system_category()};
}

error_code open_file(locked_file& f) {
  constexpr int flags = O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  struct stat s {};
  // Opening a FIFO or a device would have effects of its own.
  if (::stat(f.path.c_str(), &s) == 0 && !S_ISREG(s.st_mode)) return system_error(EINVAL);
  f.cannot_write = {};
  f.file = descriptor{::open(f.path.c_str(), O_RDWR | flags)};
  if (!f.file && errno == ENOENT) {
    f.file = descriptor{::open(f.path.c_str(), O_RDWR | O_CREAT | flags, 0644)};
  }
  if (!f.file) {
    f.cannot_write = system_error();
    f.file = descriptor{::open(f.path.c_str(), O_RDONLY | flags)};
  }
  if (!f.file) return f.cannot_write;
  if (::fstat(f.file.get(), &s) != 0) return system_error();
  return S_ISREG(s.st_mode) ? error_code{} : system_error(EINVAL);
}

bool is_one_file(const file_signature& a, const file_signature& b) noexcept {
  return a.exists && b.exists && a.device == b.device && a.inode == b.inode;
}

// Whether renaming did not work for a reason that does not forbid changing the file itself.
bool allows_overwrite(const error_code& ec) noexcept {
  if (ec.category() != boost::system::system_category()) return false;
  switch (ec.value()) {
    case EBUSY:         // it is a mount point
    case EXDEV:         // likewise, on some file systems
    case EROFS:         // the directory is read-only, a file mounted in it may not be
    case EACCES:        // no right to the directory
    case EPERM:         // a sticky one
    case ENAMETOOLONG:  // no room for the name of a temporary file
      return true;
    default:
      return false;
  }
}

// Removes its file unless told to keep it.
class temporary_file {
 public:
  explicit temporary_file(const std::filesystem::path& beside)
      : path_((beside.parent_path() / ("." + beside.filename().string() + ".XXXXXX")).string()),
        file_(::mkostemp(path_.data(), O_CLOEXEC)),
        error_(file_ ? error_code{} : system_error()),
        there_(file_) {}
  ~temporary_file() {
    if (there_) ::unlink(path_.c_str());
  }
  temporary_file(const temporary_file&) = delete;
  temporary_file& operator=(const temporary_file&) = delete;

  [[nodiscard]] const error_code& error() const noexcept { return error_; }
  [[nodiscard]] int get() const noexcept { return file_.get(); }
  [[nodiscard]] error_code rename_to(const std::string& path) {
    if (::rename(path_.c_str(), path.c_str()) != 0) return system_error();
    there_ = false;
    return {};
  }

 private:
  std::string path_;
  descriptor file_;
  error_code error_;
  bool there_;
};

error_code copy_rights(int from, int to) {
  struct stat old {};
  struct stat made {};
  if (::fstat(from, &old) != 0 || ::fstat(to, &made) != 0) return system_error();
  // Only root may give a file away; ours is then a better owner than nobody. The mode comes after
  // it, because a change of owner clears some of its bits.
  if (old.st_uid != made.st_uid || old.st_gid != made.st_gid) {
    const bool given = ::fchown(to, old.st_uid, old.st_gid) == 0;
    if (!given) static_cast<void>(::fchown(to, made.st_uid, old.st_gid) == 0);
  }
  return ::fchmod(to, old.st_mode & 07777U) == 0 ? error_code{} : system_error();
}

error_code sync_directory_of(const std::filesystem::path& file) {
  const auto parent = file.parent_path();
  const descriptor directory{
      ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!directory) return {};  // it may be written and searched but not read
  const error_code ec = sync(directory.get());
  const bool unsupported = ec == boost::system::errc::invalid_argument;
  return unsupported ? error_code{} : ec;
}

error_code reserve([[maybe_unused]] int fd,
                   [[maybe_unused]] std::size_t at,
                   [[maybe_unused]] std::size_t size) {
#ifdef FALLOC_FL_KEEP_SIZE
  const auto call = [&] {
    return ::fallocate(fd, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(at), static_cast<off_t>(size));
  };
  // Any other failure only says that this file system cannot reserve.
  if (uninterrupted(call) != 0 && (errno == ENOSPC || errno == EDQUOT)) return system_error();
#endif
  return {};
}

}  // namespace

boost::system::result<locked_file> lock_file(const std::string& path, std::size_t max_bytes) {
  for (int i = 0; i < most_replacements; ++i) {
    locked_file f;
    const auto target = target_of(path);
    if (!target) return target.error();
    f.path = *target;
    if (const auto ec = open_file(f)) return ec;
    if (uninterrupted([&] { return ::flock(f.file.get(), LOCK_EX); }) != 0) return system_error();
    f.seen = stat_file(f.file.get());
    // Another writer may have put a new file in its place while we waited.
    if (!is_one_file(f.seen, stat_file(f.path))) continue;
    if (const auto ec = read_all(f.file.get(), max_bytes, f.text)) return ec;
    return f;
  }
  return system_error(EAGAIN);
}

error_code rename_over(locked_file& of, std::string_view text) {
  temporary_file fresh{of.path};
  if (fresh.error()) return fresh.error();
  if (const auto ec = copy_rights(of.file.get(), fresh.get())) return ec;
  if (const auto ec = write_all(fresh.get(), text, 0)) return ec;
  if (const auto ec = sync(fresh.get())) return ec;
  if (stat_file(of.path) != of.seen) return system_error(EAGAIN);
  if (const auto ec = fresh.rename_to(of.path)) return ec;
  return sync_directory_of(of.path);
}

patch patch_between(std::string_view old, std::string_view text) {
  std::string bytes(text);
  if (bytes.size() < old.size()) bytes.resize(old.size(), '\n');
  const bool grows = bytes.size() > old.size();
  while (!grows && !bytes.empty() && bytes.back() == old[bytes.size() - 1]) bytes.pop_back();
  const auto differs = std::ranges::mismatch(old, bytes).in2;
  const auto at = static_cast<std::size_t>(differs - bytes.begin());
  return {at, bytes.substr(at)};
}

error_code overwrite(locked_file& of, std::string_view text) {
  if (of.cannot_write) return of.cannot_write;
  const int fd = of.file.get();
  const std::string_view old = of.text;
  if (stat_file(of.path) != of.seen) return system_error(EAGAIN);
  if (text.size() > old.size()) {
    if (const auto ec = reserve(fd, old.size(), text.size() - old.size())) return ec;
  }
  const patch p = patch_between(old, text);
  if (const auto ec = write_all(fd, p.bytes, p.at)) {
    static_cast<void>(write_all(fd, old.substr(p.at), p.at));
    static_cast<void>(::ftruncate(fd, static_cast<off_t>(old.size())) == 0);
    return ec;
  }
  if (const auto ec = sync(fd)) return ec;
  if (text.size() >= old.size()) return {};
  if (::ftruncate(fd, static_cast<off_t>(text.size())) != 0) return system_error();
  return sync(fd);
}

error_code replace_text(locked_file& of, std::string_view text) {
  const error_code ec = rename_over(of, text);
  return allows_overwrite(ec) ? overwrite(of, text) : ec;
}

}  // namespace redial::inline REDIAL_ABI::detail
