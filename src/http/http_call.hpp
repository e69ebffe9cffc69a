// SPDX-License-Identifier: Apache-2.0
#pragma once

// One request over all its attempts: what they send, and the last response they got.

#include <redial/core/error.hpp>
#include <redial/http/message.hpp>

#include "core/short_mutex.hpp"
#include "http/reuse_rule.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/container/small_vector.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace redial::inline REDIAL_ABI::detail {

/// \par Threads  `keep` and `take` may race: an attempt that was given up may still end.
/// \par Lifetime Shared by the call's operation, its exchanges and the caller's handler.
class http_call {
 public:
  explicit http_call(http_request request);

  [[nodiscard]] const http_request& request() const noexcept { return request_; }
  [[nodiscard]] bool idempotent() const noexcept { return idempotent_; }
  /// Writes the head that every attempt sends; once, before the first.
  void prepare(std::string_view authority, std::string_view user_agent, bool idempotent);
  /// The same in a fraction of the time, with `rest` from `usual_rest_of_head`. False, and nothing
  /// is done, when this request has fields or a body of its own.
  [[nodiscard]] bool prepare_usual(std::string_view rest, bool idempotent);
  /// What an attempt sends: the head, then the body. Valid as long as the call.
  [[nodiscard]] std::array<boost::asio::const_buffer, 2> bytes() const noexcept {
    return {boost::asio::buffer(head_.data(), head_.size()), boost::asio::buffer(request_.body)};
  }

  /// A response of attempt `number`. The first that ends the call (`final`) stays, since two
  /// attempts may run at once; before it, a later attempt's goes before an earlier one's.
  void keep(std::uint32_t number, http_response response, bool final);
  /// Nothing is kept any more afterwards.
  [[nodiscard]] std::optional<http_response> take();

 private:
  http_request request_;
  boost::container::small_vector<char, 256> head_;  // most need no more
  bool idempotent_ = false;

  short_mutex mutex_;
  bool taken_ = false;
  bool final_ = false;
  std::uint32_t number_ = 0;
  std::optional<http_response> response_;
};

/// What follows method and target in the heads of all requests that have nothing else to say.
[[nodiscard]] std::string usual_rest_of_head(std::string_view authority,
                                             std::string_view user_agent);

}  // namespace redial::inline REDIAL_ABI::detail
