// SPDX-License-Identifier: Apache-2.0

// Sources: RFC 9110 §9.2.2 (what may be repeated), §15.5.20 (a misdirected request was not
// processed), RFC 9112 §9.3.1 (a reused connection may close before the response).

#include "client/failure_class.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>

namespace redial::inline REDIAL_ABI::detail {

namespace {

namespace asio = boost::asio;

bool is_timeout(const error_code& e) {
  return e == errc::attempt_timeout || e == errc::deadline_exceeded || e == asio::error::timed_out;
}

// An error that names the peer's whole answer, in contrast to one that cut the answer short. Codes
// of our user's own category are taken as such: who makes them retryable has read the answer.
bool is_answer(const error_code& e) {
  if (e == errc::unavailable_status || e == errc::misdirected_status) return true;
  const auto& c = e.category();
  return c != redial_category() && c != boost::system::system_category() &&
         c != boost::system::generic_category() && c != asio::error::get_misc_category() &&
         c != asio::error::get_ssl_category() && c != asio::ssl::error::get_stream_category();
}

}  // namespace

bool is_closed_by_peer(const error_code& e) {
  return e == errc::peer_closed || e == asio::error::eof || e == asio::error::connection_reset ||
         e == asio::error::connection_aborted || e == asio::error::broken_pipe ||
         e == asio::error::not_connected || e == asio::ssl::error::stream_truncated;
}

bool is_stale(const attempt_facts& f) {
  return f.reused && !f.received && is_closed_by_peer(f.error);
}

bool is_failure(const attempt_facts& f) {
  return f.error.failed() || f.verdict == attempt_verdict::moved;
}

bool suggests_retry(const attempt_facts& f) {
  if (f.verdict == attempt_verdict::moved) return true;
  if (f.received && !is_answer(f.error)) return false;
  return f.error == condition::retryable;
}

bool is_retryable(const attempt_facts& f) { return f.ruling ? *f.ruling : suggests_retry(f); }

bool says_not_sent(const attempt_facts& f) {
  return f.error == errc::not_sent || (!f.counted && f.error == condition::not_sent);
}

bool is_without_effect(const attempt_facts& f) {
  return !f.sent || says_not_sent(f) || f.verdict == attempt_verdict::moved;
}

lease_end end_of(const attempt_facts& f) {
  switch (f.verdict) {
    case attempt_verdict::poison:
      return lease_end::poisoned;
    case attempt_verdict::moved:
      return lease_end::moved;
    case attempt_verdict::spent:
      if (!f.error) return lease_end::spent;
      break;
    case attempt_verdict::none:
      if (!f.error) return lease_end::returned;
      break;
    case attempt_verdict::unwell:
      if (!f.error) return lease_end::unwell;
      break;
  }
  if (!f.received && is_closed_by_peer(f.error)) return lease_end::reset;
  if (is_timeout(f.error)) return lease_end::timed_out;
  return lease_end::failed;
}

}  // namespace redial::inline REDIAL_ABI::detail
