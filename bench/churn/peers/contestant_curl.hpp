// SPDX-License-Identifier: Apache-2.0
#pragma once

// libcurl's multi interface.

#include "churn/contestant.hpp"
#include "churn/service.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>

namespace redial::churn {

enum class curl_kind {
  /// As it comes: connections reused while they work (unused ones for 118 s), answers of the
  /// system's resolver kept for 60 s.
  usual,
  /// CURLOPT_DNS_CACHE_TIMEOUT and CURLOPT_MAXLIFETIME_CONN are the TTL cap, which is what its users
  /// are told to do so that it follows DNS, and CURLOPT_DNS_SHUFFLE_ADDRESSES spreads connections.
  tuned,
  /// Tuned, with up to 3 retries 200 ms apart for what brought no response and for 429, 502, 503
  /// and 504. An attempt takes at most half of the time that is left, the last one all of it.
  retrying
};

/// One multi handle, driven by a thread of its own with `curl_multi_poll`; replies are posted back.
/// Easy handles are used again. No limit of connections, as libcurl has none; no proxy, whatever the
/// environment says; TCP_NODELAY, which is its default.
///
/// libcurl waits for the system's resolver when it gives up a transfer that still asks it, and no
/// other transfer of that multi handle goes on meanwhile. Requests that are late because of that
/// fail as `no answer by the deadline`, and `close()` can take as long as `getaddrinfo`.
[[nodiscard]] std::unique_ptr<contestant> make_curl(const boost::asio::any_io_executor& executor,
                                                    const service_address& where,
                                                    curl_kind kind);

}  // namespace redial::churn
