// SPDX-License-Identifier: Apache-2.0
#pragma once

// cpp-httplib's blocking client.

#include "churn/contestant.hpp"
#include "churn/service.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>

namespace redial::churn {

/// As programs with it do: threads with a keep-alive `httplib::Client` each, made when all others
/// are busy, 256 at most; the one that was used last goes first. The time that is left is the limit
/// of connecting, of each read and of each write. TCP_NODELAY, as all others have. No request is
/// tried twice.
///
/// A client has one connection, and keeps it until it breaks. The system's resolver has no time
/// limit: what is late because of it fails as `no answer by the deadline`, and `close()` can take as
/// long as `getaddrinfo` and as the last deadline.
[[nodiscard]] std::unique_ptr<contestant> make_httplib(const boost::asio::any_io_executor& executor,
                                                       const service_address& where);

}  // namespace redial::churn
