// SPDX-License-Identifier: Apache-2.0
#pragma once

// Gives a checked-out connection its type back on the way to the caller's handler.

#include <redial/core/abi.hpp>
#include <redial/core/access.hpp>
#include <redial/pool/lease.hpp>
#include <redial/ports/completion.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associator.hpp>

#include <utility>

namespace redial::inline REDIAL_ABI::detail {

template <class Connection, class Handler>
struct typed_checkout_handler {
  void operator()(error_code ec, lease_base found) {
    std::move(handler)(ec, access::make<lease<Connection>>(std::move(found)));
  }

  Handler handler;
};

/// What `pool_base::start_checkout` takes, from a caller's handler. `io`: the pool's executor.
template <class Connection, class Handler>
[[nodiscard]] completion<void(error_code, lease_base)> typed_checkout(
    Handler handler, const boost::asio::any_io_executor& io) {
  return completion<void(error_code, lease_base)>{
      typed_checkout_handler<Connection, Handler>{std::move(handler)}, io};
}
template <class Connection, class Handler>
[[nodiscard]] completion<void(error_code, lease_base)> typed_checkout(Handler handler) {
  return completion<void(error_code, lease_base)>{
      typed_checkout_handler<Connection, Handler>{std::move(handler)}};
}

}  // namespace redial::inline REDIAL_ABI::detail

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
