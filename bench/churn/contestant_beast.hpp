// SPDX-License-Identifier: Apache-2.0
#pragma once

// An ordinary keep-alive client, as one writes it with Boost.Beast.

#include "churn/contestant.hpp"
#include "churn/service.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>

namespace redial::churn {

/// Keeps its connections in a stack and reuses the latest. When none is idle it asks DNS, shuffles
/// the addresses as round-robin DNS would, and connects to the first that accepts. A connection
/// that failed is closed. No request is tried twice.
[[nodiscard]] std::unique_ptr<contestant> make_beast(const boost::asio::any_io_executor& executor,
                                                     const service_address& where);

}  // namespace redial::churn
