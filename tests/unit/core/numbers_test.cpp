// SPDX-License-Identifier: Apache-2.0
// Numbers that others may have written down: in logs, in metrics, in files. None ever changes; a
// new one is the next in its block.
#include <redial/core/error.hpp>
#include <redial/core/events.hpp>

#include <gtest/gtest.h>

namespace {

using redial::close_reason;
using redial::condition;
using redial::endpoint_change;
using redial::errc;

template <class Enum>
constexpr bool is(Enum e, int number) {
  return static_cast<int>(e) == number;
}

static_assert(is(errc::bad_scheme, 1));
static_assert(is(errc::bad_name, 2));
static_assert(is(errc::name_not_ascii, 3));
static_assert(is(errc::bad_address, 4));
static_assert(is(errc::bad_port, 5));
static_assert(is(errc::bad_target, 6));
static_assert(is(errc::dns_timeout, 20));
static_assert(is(errc::dns_server_failure, 21));
static_assert(is(errc::dns_refused, 22));
static_assert(is(errc::dns_bad_answer, 23));
static_assert(is(errc::name_not_found, 24));
static_assert(is(errc::no_data, 25));
static_assert(is(errc::no_dns_servers, 26));
static_assert(is(errc::name_gone, 27));
static_assert(is(errc::unresolved, 28));
static_assert(is(errc::no_service, 29));
static_assert(is(errc::connect_timeout, 40));
static_assert(is(errc::checkout_timeout, 41));
static_assert(is(errc::queue_full, 42));
static_assert(is(errc::no_usable_endpoint, 43));
static_assert(is(errc::identity_mismatch, 44));
static_assert(is(errc::connection_drained, 45));
static_assert(is(errc::peer_closed, 46));
static_assert(is(errc::no_idle_connection, 47));
static_assert(is(errc::bad_tls_options, 48));
static_assert(is(errc::tls_name_mismatch, 49));
static_assert(is(errc::not_tls, 50));
static_assert(is(errc::alpn_mismatch, 51));
static_assert(is(errc::identity_spent, 52));
static_assert(is(errc::closed, 60));
static_assert(is(errc::deadline_exceeded, 61));
static_assert(is(errc::attempt_timeout, 62));
static_assert(is(errc::abandoned, 63));
static_assert(is(errc::not_sent, 64));
static_assert(is(errc::invalid_request, 80));
static_assert(is(errc::bad_response, 81));
static_assert(is(errc::partial_response, 82));
static_assert(is(errc::header_too_large, 83));
static_assert(is(errc::body_too_large, 84));
static_assert(is(errc::unavailable_status, 85));
static_assert(is(errc::misdirected_status, 86));

static_assert(is(condition::retryable, 1));
static_assert(is(condition::connection_poisoned, 2));
static_assert(is(condition::not_sent, 3));
static_assert(is(condition::local_fault, 4));

static_assert(is(endpoint_change::added, 0));
static_assert(is(endpoint_change::absent, 1));
static_assert(is(endpoint_change::doubted, 2));
static_assert(is(endpoint_change::returned, 3));
static_assert(is(endpoint_change::departed, 4));
static_assert(is(endpoint_change::warming, 5));
static_assert(is(endpoint_change::active, 6));
static_assert(is(endpoint_change::warm_failed, 7));
static_assert(is(endpoint_change::ejected, 8));
static_assert(is(endpoint_change::quarantined, 9));
static_assert(is(endpoint_change::retained, 10));
static_assert(is(endpoint_change::drained, 11));
static_assert(is(endpoint_change::recovered, 12));

static_assert(is(close_reason::idle, 0));
static_assert(is(close_reason::lifetime, 1));
static_assert(is(close_reason::departed, 2));
static_assert(is(close_reason::drain_deadline, 3));
static_assert(is(close_reason::error, 4));
static_assert(is(close_reason::spent, 5));
static_assert(is(close_reason::poisoned, 6));
static_assert(is(close_reason::moved, 7));
static_assert(is(close_reason::peer_closed, 8));
static_assert(is(close_reason::unexpected_bytes, 9));
static_assert(is(close_reason::endpoint_failed, 10));
static_assert(is(close_reason::reset, 11));
static_assert(is(close_reason::abandoned, 12));
static_assert(is(close_reason::shutdown, 13));
static_assert(is(close_reason::ejected, 14));
static_assert(is(close_reason::quarantined, 15));
static_assert(is(close_reason::probed, 16));

// Each enumerator that there is has a number above.
TEST(Numbers, AreAsManyAsTheEnumerators) {
  EXPECT_EQ(redial::endpoint_change_count, 13U);
  EXPECT_EQ(redial::close_reason_count, 17U);
}

}  // namespace
