// SPDX-License-Identifier: Apache-2.0
#include <redial/core/error.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

#include <cerrno>
#include <set>
#include <string>
#include <vector>

namespace {

namespace asio = boost::asio;
using boost::system::generic_category;
using boost::system::system_category;
using redial::condition;
using redial::errc;
using redial::error_code;

// Without a default, so that the compiler finds the code that is missing here and below.
bool is_code(int value) {
  switch (static_cast<errc>(value)) {
    case errc::bad_scheme:
    case errc::bad_name:
    case errc::name_not_ascii:
    case errc::bad_address:
    case errc::bad_port:
    case errc::bad_target:
    case errc::dns_timeout:
    case errc::dns_server_failure:
    case errc::dns_refused:
    case errc::dns_bad_answer:
    case errc::name_not_found:
    case errc::no_data:
    case errc::no_dns_servers:
    case errc::name_gone:
    case errc::unresolved:
    case errc::no_service:
    case errc::connect_timeout:
    case errc::checkout_timeout:
    case errc::queue_full:
    case errc::no_usable_endpoint:
    case errc::identity_mismatch:
    case errc::connection_drained:
    case errc::peer_closed:
    case errc::no_idle_connection:
    case errc::bad_tls_options:
    case errc::tls_name_mismatch:
    case errc::not_tls:
    case errc::alpn_mismatch:
    case errc::identity_spent:
    case errc::closed:
    case errc::deadline_exceeded:
    case errc::attempt_timeout:
    case errc::abandoned:
    case errc::not_sent:
    case errc::invalid_request:
    case errc::bad_response:
    case errc::partial_response:
    case errc::header_too_large:
    case errc::body_too_large:
    case errc::unavailable_status:
    case errc::misdirected_status:
      return true;
  }
  return false;
}

const std::vector<errc> all_codes = [] {
  std::vector<errc> codes;
  for (int value = 0; value < 200; ++value) {
    if (is_code(value)) codes.push_back(static_cast<errc>(value));
  }
  return codes;
}();

std::set<errc> codes_that_are(condition c) {
  std::set<errc> found;
  for (const errc e : all_codes) {
    if (error_code(e) == c) found.insert(e);
  }
  return found;
}

error_code system_error(int value) { return {value, system_category()}; }

TEST(Error, EveryCodeHasItsOwnMessage) {
  std::set<std::string> messages;
  for (const errc e : all_codes) {
    const std::string text = error_code(e).message();
    EXPECT_TRUE(messages.insert(text).second) << text;
    EXPECT_NE(text, "unknown redial error");
    EXPECT_LT(text.size(), 120U) << text;
    char buffer[8];
    EXPECT_EQ(redial::redial_category().message(static_cast<int>(e), buffer, sizeof buffer), text);
  }
  EXPECT_EQ(error_code(999, redial::redial_category()).message(), "unknown redial error");
  EXPECT_STREQ(redial::redial_category().name(), "redial");
  EXPECT_STREQ(redial::condition_category().name(), "redial.condition");
}

TEST(Error, ConditionsSayWhatTheyMean) {
  std::set<std::string> messages;
  for (const auto c : {condition::retryable,
                       condition::connection_poisoned,
                       condition::not_sent,
                       condition::local_fault}) {
    EXPECT_TRUE(messages.insert(make_error_condition(c).message()).second);
  }
  EXPECT_EQ(redial::condition_category().message(99), "unknown redial condition");
}

TEST(Error, WhichCodesAreRetryable) {
  EXPECT_EQ(
      codes_that_are(condition::retryable),
      (std::set<errc>{errc::dns_timeout,        errc::dns_server_failure, errc::dns_refused,
                      errc::dns_bad_answer,     errc::no_dns_servers,     errc::unresolved,
                      errc::connect_timeout,    errc::checkout_timeout,   errc::no_usable_endpoint,
                      errc::no_idle_connection, errc::identity_mismatch,  errc::connection_drained,
                      errc::peer_closed,        errc::tls_name_mismatch,  errc::not_tls,
                      errc::alpn_mismatch,      errc::identity_spent,     errc::attempt_timeout,
                      errc::not_sent,           errc::partial_response,   errc::unavailable_status,
                      errc::misdirected_status}));
}

TEST(Error, WhichCodesPoisonTheConnection) {
  EXPECT_EQ(codes_that_are(condition::connection_poisoned),
            (std::set<errc>{errc::connect_timeout,
                            errc::identity_mismatch,
                            errc::connection_drained,
                            errc::peer_closed,
                            errc::tls_name_mismatch,
                            errc::not_tls,
                            errc::alpn_mismatch,
                            errc::identity_spent,
                            errc::closed,
                            errc::deadline_exceeded,
                            errc::attempt_timeout,
                            errc::abandoned,
                            errc::not_sent,
                            errc::bad_response,
                            errc::partial_response,
                            errc::header_too_large,
                            errc::body_too_large,
                            errc::misdirected_status}));
}

TEST(Error, WhichCodesSayThatNothingWasSent) {
  EXPECT_EQ(
      codes_that_are(condition::not_sent),
      (std::set<errc>{errc::bad_scheme,        errc::bad_name,           errc::name_not_ascii,
                      errc::bad_address,       errc::bad_port,           errc::bad_target,
                      errc::dns_timeout,       errc::dns_server_failure, errc::dns_refused,
                      errc::dns_bad_answer,    errc::name_not_found,     errc::no_data,
                      errc::no_dns_servers,    errc::name_gone,          errc::unresolved,
                      errc::no_service,        errc::connect_timeout,    errc::checkout_timeout,
                      errc::queue_full,        errc::no_usable_endpoint, errc::no_idle_connection,
                      errc::identity_mismatch, errc::bad_tls_options,    errc::tls_name_mismatch,
                      errc::not_tls,           errc::alpn_mismatch,      errc::identity_spent,
                      errc::not_sent,          errc::invalid_request}));
}

TEST(Error, WhichCodesAreTheFaultOfThisMachine) {
  EXPECT_EQ(codes_that_are(condition::local_fault),
            (std::set<errc>{errc::no_dns_servers, errc::bad_tls_options}));
}

TEST(Error, BrokenConnectionsAreRetryableAndPoisoned) {
  for (const int value : {ECONNREFUSED,
                          ECONNRESET,
                          ECONNABORTED,
                          EPIPE,
                          ENOTCONN,
                          ETIMEDOUT,
                          ENETDOWN,
                          ENETRESET,
                          ENETUNREACH,
                          EHOSTUNREACH,
                          EHOSTDOWN,
                          ESHUTDOWN,
                          EPROTO}) {
    for (const auto* category : {&system_category(), &generic_category()}) {
      const error_code ec(value, *category);
      EXPECT_EQ(ec, condition::retryable) << ec.message();
      EXPECT_EQ(ec, condition::connection_poisoned) << ec.message();
      EXPECT_NE(ec, condition::local_fault) << ec.message();
    }
  }
}

TEST(Error, ShortagesAreOfThisMachine) {
  for (const int value : {EMFILE, ENFILE, EADDRNOTAVAIL, ENOBUFS, ENOMEM}) {
    EXPECT_EQ(system_error(value), condition::local_fault) << value;
    EXPECT_EQ(system_error(value), condition::retryable) << value;
    EXPECT_NE(system_error(value), condition::connection_poisoned) << value;
  }
}

TEST(Error, ABarredAddressMayBeTriedElsewhere) {
  for (const int value : {EACCES, EPERM, EAFNOSUPPORT}) {
    EXPECT_EQ(system_error(value), condition::retryable) << value;
    EXPECT_NE(system_error(value), condition::local_fault) << value;
  }
}

TEST(Error, WhatWasCutShortIsPoisonedAndNotRetryable) {
  for (const error_code ec :
       {error_code(asio::error::operation_aborted), error_code(asio::error::bad_descriptor)}) {
    EXPECT_EQ(ec, condition::connection_poisoned);
    EXPECT_NE(ec, condition::retryable);
  }
}

TEST(Error, TheEndOfAStreamIsRetryableAndPoisoned) {
  for (const error_code ec : {error_code(asio::error::eof),
                              error_code(asio::ssl::error::stream_truncated),
                              error_code(0x0a000086, asio::error::get_ssl_category())}) {
    EXPECT_EQ(ec, condition::retryable) << ec.category().name();
    EXPECT_EQ(ec, condition::connection_poisoned) << ec.category().name();
    EXPECT_NE(ec, condition::local_fault);
  }
}

TEST(Error, OfNameLookupsOnlyTryAgainIsRetryable) {
  EXPECT_EQ(error_code(asio::error::host_not_found_try_again), condition::retryable);
  for (const error_code ec : {error_code(asio::error::host_not_found),
                              error_code(asio::error::no_data),
                              error_code(asio::error::no_recovery),
                              error_code(asio::error::service_not_found)}) {
    EXPECT_NE(ec, condition::retryable) << ec.message();
  }
}

// A REJECT rule in a firewall turns the timeout of an open connection into ECONNREFUSED.
TEST(Error, ForeignCodesNeverSayThatNothingWasSent) {
  for (const int value : {ECONNREFUSED, EMFILE, EADDRNOTAVAIL, ENETUNREACH, EACCES}) {
    EXPECT_NE(system_error(value), condition::not_sent) << value;
  }
  EXPECT_NE(error_code(asio::error::host_not_found), condition::not_sent);
}

TEST(Error, OtherCodesAreNothingOfTheKind) {
  class other_category final : public boost::system::error_category {
    const char* name() const noexcept override { return "other"; }
    std::string message(int) const override { return "other"; }
  };
  const other_category other;
  for (const error_code ec : {error_code(),
                              error_code(ECONNRESET, other),
                              system_error(EINVAL),
                              system_error(ENOENT),
                              system_error(12345),
                              error_code(asio::error::would_block),
                              error_code(asio::error::already_open),
                              error_code(0, redial::redial_category()),
                              error_code(999, redial::redial_category())}) {
    for (const auto c : {condition::retryable,
                         condition::connection_poisoned,
                         condition::not_sent,
                         condition::local_fault}) {
      EXPECT_NE(ec, c) << ec;
    }
  }
}

TEST(Error, EveryWayToBeLateIsATimeout) {
  std::set<errc> late;
  for (const errc e : all_codes) {
    if (error_code(e) == boost::system::errc::timed_out) late.insert(e);
  }
  EXPECT_EQ(late,
            (std::set<errc>{errc::dns_timeout,
                            errc::unresolved,
                            errc::connect_timeout,
                            errc::checkout_timeout,
                            errc::deadline_exceeded,
                            errc::attempt_timeout}));
}

TEST(Error, CodesCompareAsThemselves) {
  const error_code ec = errc::queue_full;
  EXPECT_EQ(ec, errc::queue_full);
  EXPECT_NE(ec, errc::closed);
  EXPECT_EQ(ec.default_error_condition().category(), redial::redial_category());
}

}  // namespace
