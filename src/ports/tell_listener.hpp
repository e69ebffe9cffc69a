// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a listener of the user's is called.

#include <redial/core/abi.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>

#include <exception>

namespace redial::inline REDIAL_ABI::detail {

/// Calls `tell`. What it throws is thrown again from a handler posted to `io`, so that it leaves
/// `run()` there and interrupts nothing here: events are told where a lease is destroyed, between
/// two steps, inside a batch. When `io` takes no handlers any more (`may_post`), or there is no
/// memory for one, it is dropped.
template <class Tell>
void tell_listener(const boost::asio::any_io_executor& io,
                   bool may_post,
                   const Tell& tell) noexcept {
  try {
    tell();
  } catch (...) {
    if (!may_post) return;
    try {
      boost::asio::post(io,
                        [thrown = std::current_exception()] { std::rethrow_exception(thrown); });
    } catch (...) {
      return;
    }
  }
}

}  // namespace redial::inline REDIAL_ABI::detail
