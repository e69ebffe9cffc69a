// SPDX-License-Identifier: Apache-2.0
#pragma once

// One request over all its attempts: what they send, and the last response they got.

#include <redial/core/error.hpp>
#include <redial/http/message.hpp>

#include "http/reuse_rule.hpp"

#include <boost/asio/buffer.hpp>

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace redial::detail {

/// \par Threads  `keep` and `take` may race: an attempt that was given up may still end.
/// \par Lifetime Shared by the call's operation, its exchanges and the caller's handler.
class http_call {
 public:
  explicit http_call(http_request request);

  [[nodiscard]] const http_request& request() const noexcept { return request_; }
  [[nodiscard]] bool idempotent() const noexcept { return idempotent_; }
  /// Writes the head that every attempt sends; once, before the first.
  void prepare(std::string_view authority, std::string_view user_agent, bool idempotent);
  /// What an attempt sends: the head, then the body. Valid as long as the call.
  [[nodiscard]] std::array<boost::asio::const_buffer, 2> bytes() const noexcept {
    return {boost::asio::buffer(head_), boost::asio::buffer(request_.body)};
  }

  /// A response of attempt `number`. The first that ends the call (`final`) stays, since two
  /// attempts may run at once; before it, a later attempt's goes before an earlier one's.
  void keep(std::uint32_t number, http_response response, bool final);
  /// Nothing is kept any more afterwards.
  [[nodiscard]] std::optional<http_response> take();

 private:
  http_request request_;
  std::string head_;
  bool idempotent_ = false;

  std::mutex mutex_;
  bool taken_ = false;
  bool final_ = false;
  std::uint32_t number_ = 0;
  std::optional<http_response> response_;
};

}  // namespace redial::detail
