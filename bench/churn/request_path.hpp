// SPDX-License-Identifier: Apache-2.0
#pragma once

// What every request to a backend names, whatever the protocol.

#include <cstdint>
#include <optional>
#include <string_view>

namespace redial::churn {

struct request_name {
  std::string_view contestant;
  std::uint64_t id = 0;
};

/// `/redial/17` as its two parts, which refer to `path`.
[[nodiscard]] std::optional<request_name> parse_path(std::string_view path);

}  // namespace redial::churn
