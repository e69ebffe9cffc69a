// SPDX-License-Identifier: Apache-2.0
#pragma once

// Gives a checked-out connection its type back on the way to the caller's handler.

#include <boost/asio/associator.hpp>
#include <utility>

#include <redial/pool/lease.hpp>
#include <redial/ports/completion.hpp>

namespace redial::detail {

template <class Connection, class Handler>
struct typed_checkout_handler {
  void operator()(error_code ec, lease_base base) { handler(ec, lease<Connection>(std::move(base))); }

  Handler handler;
};

template <class Connection, class Handler>
[[nodiscard]] completion<void(error_code, lease_base)> typed_checkout(Handler handler) {
  return completion<void(error_code, lease_base)>{
      typed_checkout_handler<Connection, Handler>{std::move(handler)}};
}

}  // namespace redial::detail

namespace boost::asio {

// Executor, allocator and cancellation slot stay those of the caller's handler.
template <template <class, class> class Associator, class Connection, class Handler, class Default>
struct associator<Associator, redial::detail::typed_checkout_handler<Connection, Handler>, Default>
    : Associator<Handler, Default> {
  using base = Associator<Handler, Default>;
  static auto get(const redial::detail::typed_checkout_handler<Connection, Handler>& h) noexcept {
    return base::get(h.handler);
  }
  static auto get(const redial::detail::typed_checkout_handler<Connection, Handler>& h,
                  const Default& fallback) noexcept {
    return base::get(h.handler, fallback);
  }
};

}  // namespace boost::asio
