// SPDX-License-Identifier: Apache-2.0
#pragma once

// gRPC C++ with its round_robin balancer.

#include "churn/contestant.hpp"
#include "churn/service.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>

namespace redial::churn {

enum class grpc_kind {
  /// `dns://<nameserver>/<host>:<grpc_port>` and `round_robin`; everything else as it comes.
  usual,
  /// The port on which backends end connections at the age of the TTL cap
  /// (GRPC_ARG_MAX_CONNECTION_AGE_MS), which is what its users are told to do so that it follows
  /// DNS. It then asks DNS again, by default every 30 s at most; here as often as the TTL cap says
  /// (GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS).
  aged
};

/// One channel with subchannels of its own, unary calls without generated code, the deadline given
/// to gRPC. Calls do not wait for ready and have no retry policy, which is the default; gRPC itself
/// repeats what no server has seen.
///
/// It does not tell how many connections it opens: that counts each that answered at least one
/// request, by what the backends say of the caller's port.
[[nodiscard]] std::unique_ptr<contestant> make_grpc(const boost::asio::any_io_executor& executor,
                                                    const service_address& where,
                                                    grpc_kind kind);

}  // namespace redial::churn
