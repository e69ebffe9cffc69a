// SPDX-License-Identifier: Apache-2.0
#pragma once

// Tells pools that the context behind their executor is being destroyed, while sockets of that
// context may still be destroyed. Later, nothing of a pool may touch them.

#include <redial/core/abi.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <memory>

namespace redial::inline REDIAL_ABI::detail {

class pool_state;

/// Calls `pool->context_gone()` when the context of `executor` shuts down, if the pool still lives.
void watch_context(const boost::asio::any_io_executor& executor,
                   const std::shared_ptr<pool_state>& pool);

}  // namespace redial::inline REDIAL_ABI::detail
