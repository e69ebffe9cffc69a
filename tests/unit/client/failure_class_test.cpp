// SPDX-License-Identifier: Apache-2.0
#include "client/failure_class.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <gtest/gtest.h>

#include <initializer_list>

namespace redial::inline REDIAL_ABI::detail {
namespace {

namespace asio = boost::asio;

attempt_facts facts(error_code ec, bool sent = false, bool received = false, bool reused = false) {
  attempt_facts f;
  f.error = ec;
  f.sent = sent;
  f.received = received;
  f.reused = reused;
  f.counted = true;
  return f;
}

error_code system(boost::system::errc::errc_t e) { return boost::system::errc::make_error_code(e); }

// design, Calls: what is retryable at all. Whether it is safe is another question.
TEST(FailureClass, ConnectFailuresTimeoutsWriteFailuresUnresolvedNamesAndEarlyEndsAreRetryable) {
  for (const error_code& ec :
       std::initializer_list<error_code>{asio::error::connection_refused,  // connect failures
                                         asio::error::host_unreachable,
                                         asio::error::network_unreachable,
                                         errc::connect_timeout,
                                         errc::no_usable_endpoint,
                                         errc::tls_name_mismatch,
                                         errc::attempt_timeout,  // timeouts
                                         asio::error::timed_out,
                                         errc::checkout_timeout,
                                         asio::error::broken_pipe,  // write failures
                                         system(boost::system::errc::broken_pipe),
                                         asio::error::connection_reset,
                                         errc::unresolved,  // unresolved names
                                         errc::dns_timeout,
                                         errc::dns_server_failure,
                                         errc::peer_closed,  // before a byte of the response
                                         asio::error::eof,
                                         asio::ssl::error::stream_truncated,
                                         errc::unavailable_status,
                                         errc::not_sent}) {
    EXPECT_TRUE(is_retryable(facts(ec))) << ec.message();
  }
}

TEST(FailureClass, WhatWouldFailAgainOrSomebodyWantedIsNotRetryable) {
  for (const error_code& ec : std::initializer_list<error_code>{
           errc::queue_full,  // sheds load: a retry would bring it back
           errc::name_not_found,
           errc::no_data,
           errc::no_service,
           errc::invalid_request,
           errc::bad_response,
           errc::abandoned,
           errc::closed,
           errc::deadline_exceeded,
           asio::error::operation_aborted}) {
    EXPECT_FALSE(is_retryable(facts(ec, true))) << ec.message();
  }
}

TEST(FailureClass, Fault106_OnceAByteOfTheResponseHasArrivedOnlyAWholeAnswerIsRetryable) {
  for (const error_code& ec : std::initializer_list<error_code>{
           asio::error::connection_reset, asio::error::eof, errc::partial_response}) {
    EXPECT_FALSE(is_retryable(facts(ec, true, true))) << ec.message();
  }
  EXPECT_TRUE(is_retryable(facts(errc::unavailable_status, true, true)));
}

TEST(FailureClass, OnlyWhatThePeerCannotHaveSeenIsWithoutEffect) {
  EXPECT_TRUE(is_without_effect(facts(asio::error::connection_refused)));
  EXPECT_TRUE(is_without_effect(facts(asio::error::broken_pipe, false)));
  EXPECT_FALSE(is_without_effect(facts(asio::error::broken_pipe, true)));
  EXPECT_FALSE(is_without_effect(facts(errc::attempt_timeout, true)));
  EXPECT_TRUE(is_without_effect(facts(errc::not_sent, true))) << "the operation's own word";
  attempt_facts moved = facts({}, true, true);
  moved.verdict = attempt_verdict::moved;
  EXPECT_TRUE(is_without_effect(moved));
  EXPECT_TRUE(is_failure(moved) && is_retryable(moved));
}

TEST(FailureClass, OfAConnectionThatCountsNoBytesTheConditionIsBelieved) {
  attempt_facts f = facts(errc::unresolved, true);
  EXPECT_FALSE(says_not_sent(f)) << "bytes were counted, and some were written";
  f.counted = false;
  EXPECT_TRUE(says_not_sent(f));
}

TEST(FailureClass, Fault104_StaleIsAReusedConnectionThatEndedBeforeAByte) {
  EXPECT_TRUE(is_stale(facts(asio::error::eof, true, false, true)));
  EXPECT_FALSE(is_stale(facts(asio::error::eof, true, false, false))) << "a new connection";
  EXPECT_FALSE(is_stale(facts(asio::error::eof, true, true, true))) << "it did answer";
  EXPECT_FALSE(is_stale(facts(errc::attempt_timeout, true, false, true))) << "it may be alive";
}

TEST(FailureClass, TheUsersWordGoesBeforeOurs) {
  attempt_facts f = facts(errc::queue_full);
  f.ruling = true;
  EXPECT_TRUE(is_retryable(f));
  EXPECT_FALSE(suggests_retry(f));
  f = facts(asio::error::connection_refused);
  f.ruling = false;
  EXPECT_FALSE(is_retryable(f));
}

TEST(FailureClass, ThePoolHearsHowTheConnectionEnded) {
  EXPECT_EQ(end_of(facts({})), lease_end::returned);
  EXPECT_EQ(end_of(facts(asio::error::eof, true)), lease_end::reset);
  EXPECT_EQ(end_of(facts(asio::error::eof, true, true)), lease_end::failed);
  EXPECT_EQ(end_of(facts(errc::attempt_timeout, true)), lease_end::timed_out);
  EXPECT_EQ(end_of(facts(errc::bad_response, true, true)), lease_end::failed);
  attempt_facts f = facts(errc::bad_response, true, true);
  f.verdict = attempt_verdict::poison;
  EXPECT_EQ(end_of(f), lease_end::poisoned);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
