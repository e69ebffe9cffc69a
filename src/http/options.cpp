// SPDX-License-Identifier: Apache-2.0

#include <redial/http/http_client.hpp>

#include "http/grammar.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <stdexcept>

namespace redial::inline REDIAL_ABI {

namespace {

constexpr std::uint64_t kib = 1024;
constexpr std::uint64_t gib = kib * kib * kib;

void check(const char* name, std::uint64_t value, std::uint64_t low, std::uint64_t high) {
  if (value >= low && value <= high) return;
  throw std::invalid_argument(
      fmt::format("http_options::{} is {}: must be from {} to {} bytes", name, value, low, high));
}

}  // namespace

void validate(const http_options& o) {
  validate(o.client);
  check("max_header_bytes", o.max_header_bytes, 256, 16 * kib * kib);
  check("max_body_bytes", o.max_body_bytes, 0, kib * gib);
  if (!detail::is_field_value(o.user_agent)) {
    throw std::invalid_argument(
        "http_options::user_agent holds a line break or another control character: must be one "
        "line of text, or empty");
  }
}

}  // namespace redial::inline REDIAL_ABI
