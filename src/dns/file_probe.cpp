// SPDX-License-Identifier: Apache-2.0
#include "dns/file_probe.hpp"

#include "dns/descriptor.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

namespace redial::inline REDIAL_ABI::detail {
namespace {

std::int64_t nanoseconds(const timespec& t) noexcept {
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

file_signature signature_of(const struct stat& s) noexcept {
  file_signature seen;
  seen.exists = true;
  seen.device = static_cast<std::uint64_t>(s.st_dev);
  seen.inode = static_cast<std::uint64_t>(s.st_ino);
  seen.size = static_cast<std::int64_t>(s.st_size);
  seen.modified = nanoseconds(s.st_mtim);
  seen.changed = nanoseconds(s.st_ctim);
  return seen;
}

bool is_readable(const struct stat& s, std::size_t max_bytes) noexcept {
  return S_ISREG(s.st_mode) && s.st_size >= 0 &&
         static_cast<std::uint64_t>(s.st_size) <= std::uint64_t{max_bytes};
}

// The bytes read; negative on failure.
ssize_t read_some(int fd, char* to, std::size_t size) noexcept {
  ssize_t got = 0;
  do {
    got = ::read(fd, to, size);
  } while (got < 0 && errno == EINTR);
  return got;
}

}  // namespace

file_signature stat_file(const std::string& path) noexcept {
  struct stat s {};
  return ::stat(path.c_str(), &s) == 0 ? signature_of(s) : file_signature{};
}

file_signature stat_file(int fd) noexcept {
  struct stat s {};
  return ::fstat(fd, &s) == 0 ? signature_of(s) : file_signature{};
}

std::optional<std::string> read_file(const std::string& path, std::size_t max_bytes) {
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0 || !is_readable(s, max_bytes)) return std::nullopt;
  // It may have become something else since: never wait for a FIFO, and look again.
  const descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  if (!file || ::fstat(file.get(), &s) != 0 || !is_readable(s, max_bytes)) {
    return std::nullopt;
  }
  // One byte more than it says: the end shows without another turn. It may grow meanwhile, and
  // files made by the kernel say 0.
  std::string text(static_cast<std::size_t>(s.st_size) + 1, '\0');
  std::size_t filled = 0;
  for (;;) {
    const ssize_t got = read_some(file.get(), text.data() + filled, text.size() - filled);
    if (got < 0) return std::nullopt;
    filled += static_cast<std::size_t>(got);
    if (filled > max_bytes) return std::nullopt;
    if (got == 0) break;
    if (filled == text.size()) text.resize(std::max<std::size_t>(2 * text.size(), 4096));
  }
  text.resize(filled);
  return text;
}

}  // namespace redial::inline REDIAL_ABI::detail
