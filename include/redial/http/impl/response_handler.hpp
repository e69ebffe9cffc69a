// SPDX-License-Identifier: Apache-2.0
#pragma once

// Turns the end of a call into the response for the caller's handler.

#include <redial/client/call.hpp>
#include <redial/core/abi.hpp>
#include <redial/core/error.hpp>
#include <redial/http/message.hpp>

#include <boost/asio/associator.hpp>

#include <memory>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {

class http_call;

/// The request in the form that all attempts send.
[[nodiscard]] REDIAL_API std::shared_ptr<http_call> make_http_call(http_request request);

/// What the caller gets: the response of the attempt that succeeded, or the last one there was
/// (`ec` is then cleared), or none. The history goes into it.
[[nodiscard]] REDIAL_API http_response take_response(http_call& call,
                                                     error_code& ec,
                                                     call_history history);

template <class Handler>
struct response_handler {
  void operator()(error_code ec, call_history history) {
    http_response response = take_response(*call, ec, std::move(history));
    call.reset();
    std::move(handler)(ec, std::move(response));
  }

  std::shared_ptr<http_call> call;
  Handler handler;
};

}  // namespace redial::inline REDIAL_ABI::detail

/// Executor, allocator and cancellation slot are those of the caller's handler.
template <template <class, class> class Associator, class Handler, class Default>
struct boost::asio::associator<Associator, redial::detail::response_handler<Handler>, Default>
    : Associator<Handler, Default> {
  static auto get(const redial::detail::response_handler<Handler>& h) noexcept {
    return Associator<Handler, Default>::get(h.handler);
  }
  static auto get(const redial::detail::response_handler<Handler>& h, const Default& d) noexcept
      -> decltype(Associator<Handler, Default>::get(h.handler, d)) {
    return Associator<Handler, Default>::get(h.handler, d);
  }
};
