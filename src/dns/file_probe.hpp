// SPDX-License-Identifier: Apache-2.0
#pragma once

// Looks at a small configuration file without ever waiting for it.

#include <redial/core/abi.hpp>

#include "dns/stable_file.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace redial::inline REDIAL_ABI::detail {

/// Of what `path` leads to, through symbolic links. A file that cannot be reached is none.
[[nodiscard]] file_signature stat_file(const std::string& path) noexcept;
/// Of an open file.
[[nodiscard]] file_signature stat_file(int fd) noexcept;

/// The whole file. `nullopt` when there is none, it cannot be read, is longer than `max_bytes` or
/// is not a regular file: a FIFO or a device is not even opened, since its writer would notice.
[[nodiscard]] std::optional<std::string> read_file(const std::string& path, std::size_t max_bytes);

}  // namespace redial::inline REDIAL_ABI::detail
