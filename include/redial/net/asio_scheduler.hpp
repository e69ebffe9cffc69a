// SPDX-License-Identifier: Apache-2.0
#pragma once

// The real clock and timers of an Asio execution context.

#include <redial/core/abi.hpp>
#include <redial/ports/scheduler.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <memory>

namespace redial::inline REDIAL_ABI {

/// The scheduler of the execution context behind `executor`. Every executor of one context, strands
/// included, gets the same one.
///
/// All timers of a context share one queue and at most one wait of Asio's. Instants are rounded up
/// to a grid of 10 ms; arming and disarming cost no system call unless the new instant is the
/// earliest one. Timers fire on the context's own executor, not on a strand. Armed timers keep
/// `io_context::run()` busy; it returns no later than 20 ms after the last one is disarmed.
///
/// \par Threads  Safe from any thread, and so is the result.
/// \par Lifetime The result may outlive the context. Then `is_stopped()` is true and nothing fires.
/// \throws boost::asio::execution::bad_executor when `executor` is empty.
[[nodiscard]] REDIAL_API std::shared_ptr<scheduler> scheduler_of(
    const boost::asio::any_io_executor& executor);

}  // namespace redial::inline REDIAL_ABI
