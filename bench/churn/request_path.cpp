// SPDX-License-Identifier: Apache-2.0
#include "churn/request_path.hpp"

#include <charconv>

namespace redial::churn {

std::optional<request_name> parse_path(std::string_view path) {
  const auto slash = path.rfind('/');
  if (path.empty() || path.front() != '/' || slash == 0 || slash == path.npos) return std::nullopt;
  request_name name;
  name.contestant = path.substr(1, slash - 1);
  const auto id = path.substr(slash + 1);
  const auto [end, ec] = std::from_chars(id.data(), id.data() + id.size(), name.id);
  if (ec != std::errc{} || end != id.data() + id.size()) return std::nullopt;
  return name;
}

}  // namespace redial::churn
