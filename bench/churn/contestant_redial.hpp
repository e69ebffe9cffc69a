// SPDX-License-Identifier: Apache-2.0
#pragma once

// redial's HTTP client as a user gets it.

#include "churn/contestant.hpp"
#include "churn/service.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>

namespace redial::churn {

/// `redial::http_client` with default options. Only the TTL cap is `where.ttl_cap`, which is the
/// default in all but shortened runs; and the service's identity is asked for where it has one.
[[nodiscard]] std::unique_ptr<contestant> make_redial(const boost::asio::any_io_executor& executor,
                                                      const service_address& where);

/// The same with `retry_policy::finagle()`.
[[nodiscard]] std::unique_ptr<contestant> make_redial_finagle(
    const boost::asio::any_io_executor& executor, const service_address& where);

}  // namespace redial::churn
