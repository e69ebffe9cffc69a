// SPDX-License-Identifier: Apache-2.0
#pragma once

// HTTP/1.1 requests and responses as plain values.

#include <redial/client/call.hpp>
#include <redial/core/abi.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI {

namespace detail {
class response_parser;
}

/// Header fields in order. Names compare without regard to case.
class REDIAL_API http_fields {
 public:
  http_fields() = default;

  /// Appends; a name may occur several times.
  void add(std::string name, std::string value);
  /// Replaces all fields of that name by one.
  void set(std::string name, std::string value);
  /// The first value, or empty.
  [[nodiscard]] std::string_view get(std::string_view name) const noexcept;
  /// True when there is a field of that name.
  [[nodiscard]] bool contains(std::string_view name) const noexcept;
  /// Fields, each occurrence counted.
  [[nodiscard]] std::size_t size() const noexcept { return fields_.size(); }
  /// Pairs of name and value, in order.
  [[nodiscard]] auto begin() const noexcept { return fields_.begin(); }
  /// Behind the last one.
  [[nodiscard]] auto end() const noexcept { return fields_.end(); }

 private:
  friend class detail::response_parser;
  void append(std::string_view name, std::string_view value);

  std::vector<std::pair<std::string, std::string>> fields_;
};

/// A request. What must not be sent is refused by `async_request`.
struct http_request {
  http_request() = default;
  /// With method and target.
  http_request(std::string m, std::string t) : method(std::move(m)), target(std::move(t)) {}

  /// A token; not CONNECT.
  std::string method = "GET";
  /// Origin form: starts with `/` (or is `*`, for OPTIONS); visible ASCII, percent-encoded by you.
  std::string target = "/";
  /// Fields that frame the message or belong to the connection are redial's, and refused here:
  /// Content-Length, Transfer-Encoding, Connection, Keep-Alive, Proxy-Connection, TE, Trailer,
  /// Upgrade. A `Host` given here must be the only one and replaces the target's name.
  http_fields fields;
  /// Sent with its length; empty: none, or an empty one where the method wants one.
  std::string body;
  /// May it be sent again after bytes of it were sent? Overrides `call_options::is_idempotent`,
  /// which overrides what the method says (GET, HEAD, OPTIONS, TRACE, PUT, DELETE are idempotent,
  /// RFC 9110 §9.2.2).
  std::optional<bool> idempotent;
};

/// A whole response.
struct http_response {
  http_response() = default;

  std::uint16_t status = 0;  ///< 100 to 599; 0 when there was no response.
  std::string reason;        ///< The phrase behind the status; may be empty.
  http_fields fields;        ///< As the peer sent them.
  std::string body;          ///< Whole, without any framing.
  /// Failed attempts before this response.
  call_history history;
};

}  // namespace redial::inline REDIAL_ABI
