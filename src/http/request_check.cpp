// SPDX-License-Identifier: Apache-2.0

#include "http/request_check.hpp"

#include "http/grammar.hpp"

#include <algorithm>
#include <array>

namespace redial::inline REDIAL_ABI::detail {

namespace {

template <std::size_t N>
bool is_among(std::string_view text, const std::array<std::string_view, N>& list) noexcept {
  return std::find(list.begin(), list.end(), text) != list.end();
}

// They decide where a message ends and whose connection it is (RFC 9110 §7.6.1): ours alone.
constexpr std::array<std::string_view, 8> ours = {"content-length",
                                                  "transfer-encoding",
                                                  "connection",
                                                  "keep-alive",
                                                  "proxy-connection",
                                                  "te",
                                                  "trailer",
                                                  "upgrade"};

bool is_ours(std::string_view name) noexcept {
  return std::any_of(
      ours.begin(), ours.end(), [&](std::string_view n) { return same_name(n, name); });
}

bool is_good_target(const http_request& r) noexcept {
  if (r.target == "*") return r.method == "OPTIONS";
  return is_origin_form(r.target);
}

bool is_good_method(const http_request& r) noexcept {
  if (!is_token(r.method) || r.method.size() > 64) return false;
  if (r.method == "CONNECT") return false;       // asks for a tunnel, not for a response
  return r.method != "TRACE" || r.body.empty();  // RFC 9110 §9.3.8
}

}  // namespace

error_code check_request(const http_request& r) noexcept {
  if (!is_good_method(r) || !is_good_target(r)) return errc::invalid_request;
  int hosts = 0;
  for (const auto& [name, value] : r.fields) {
    if (!is_token(name) || !is_field_value(value) || is_ours(name)) return errc::invalid_request;
    if (!same_name(name, "host")) continue;
    if (++hosts > 1 || !is_host_value(value)) return errc::invalid_request;
  }
  return {};
}

bool is_idempotent(const http_request& r, std::optional<bool> caller) noexcept {
  constexpr std::array<std::string_view, 6> methods = {
      "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
  if (r.idempotent) return *r.idempotent;
  return caller.value_or(is_among(r.method, methods));
}

bool expects_body(std::string_view method) noexcept {
  constexpr std::array<std::string_view, 3> methods = {"POST", "PUT", "PATCH"};
  return is_among(method, methods);
}

}  // namespace redial::inline REDIAL_ABI::detail
