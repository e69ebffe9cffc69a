// SPDX-License-Identifier: Apache-2.0
#pragma once

// When the change of a file counts. Other programs rewrite configuration files while we read them.

#include <redial/core/time.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace redial::inline REDIAL_ABI::detail {

/// What stat(2) tells about a file; all zero when there is none.
struct file_signature {
  bool exists = false;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  std::int64_t modified = 0;  ///< mtime in ns
  std::int64_t changed = 0;   ///< ctime in ns; nobody can set it back, unlike mtime

  friend bool operator==(const file_signature&, const file_signature&) = default;
};

/// A text counts once two reads, at least 200 ms apart, found the same; the very first counts at
/// once. "No file" and "unreadable" are `nullopt` and count by the same rule: what to do about them
/// is the user's decision.
///
/// \code
///   // at each poll, and at next_read():
///   if (file.on_stat(stat_file(path), now) == stable_file::wish::read) {
///     if (auto fresh = file.on_read(read_file(path, limit), now)) use(fresh->text);
///   }
/// \endcode
///
/// Pure: polls nothing and knows no clock.
class stable_file {
 public:
  /// How far apart the two reads must be.
  static constexpr duration apart = std::chrono::milliseconds{200};

  enum class wish : std::uint8_t { nothing, read };
  struct settled {
    std::optional<std::string> text;  ///< `nullopt`: no such file, or it cannot be read.
  };

  /// `read`: read the file now and call `on_read`. The stat must come before its read, so that a
  /// change between the two shows in the next stat. May be called as often as one likes.
  [[nodiscard]] wish on_stat(const file_signature& seen, time_point now);

  /// A value when this read makes a text count that is not the one that counted before.
  [[nodiscard]] std::optional<settled> on_read(std::optional<std::string> text, time_point now);

  /// True while another read is due.
  [[nodiscard]] bool pending() const noexcept { return due_ != time_point::max(); }
  /// When to call `on_stat` at the latest; `time_point::max()`: the next poll is early enough.
  [[nodiscard]] time_point next_read() const noexcept { return due_; }

 private:
  using content = std::optional<std::string>;

  [[nodiscard]] const content& last_read() const { return candidate_ ? *candidate_ : *counting_; }
  void expect_another(time_point now);

  std::optional<content> counting_;   // empty before the first read
  std::optional<content> candidate_;  // the last read, where it differs from what counts
  std::optional<file_signature> seen_;
  std::optional<file_signature> seen_before_;  // at the read that the next one is compared with
  time_point read_at_{};                       // when that one was
  time_point due_ = time_point::max();
};

}  // namespace redial::inline REDIAL_ABI::detail
