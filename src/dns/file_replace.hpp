// SPDX-License-Identifier: Apache-2.0
#pragma once

// Changes a small text file that others read at any moment.

#include <redial/core/error.hpp>

#include "dns/descriptor.hpp"
#include "dns/stable_file.hpp"

#include <boost/system/result.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace redial::inline REDIAL_ABI::detail {

/// A file that we alone may change, as far as the others lock it too.
struct locked_file {
  std::string path;         // not a link
  descriptor file;          // carries the lock
  error_code cannot_write;  // set: open for reading only, and why
  file_signature seen;      // before `text` was read
  std::string text;
};

/// What `path` leads to, opened, locked by flock(2) and read. Made, empty, when there is none.
///
/// \par Errors The system's; `EINVAL` for what is no regular file, `EFBIG` over `max_bytes`,
/// `EAGAIN`
///      when it was replaced whenever it had just been locked.
[[nodiscard]] boost::system::result<locked_file> lock_file(const std::string& path,
                                                           std::size_t max_bytes);

/// Gives it another text, by `rename_over` or, where that is impossible, by `overwrite`.
///
/// \par Errors The system's; `EAGAIN` when somebody has changed the file since `lock_file`.
[[nodiscard]] error_code replace_text(locked_file& of, std::string_view text);

/// Bytes to write somewhere.
struct patch {
  std::size_t at = 0;
  std::string bytes;
};
/// What makes `text` of `old`; where that is longer, newlines are left behind `text`, up to the
/// same length. The shortest one.
[[nodiscard]] patch patch_between(std::string_view old, std::string_view text);

/// A new file, synced, in the place of the old one.
[[nodiscard]] error_code rename_over(locked_file& of, std::string_view text);
/// The same file with other bytes, and synced.
[[nodiscard]] error_code overwrite(locked_file& of, std::string_view text);

}  // namespace redial::inline REDIAL_ABI::detail
