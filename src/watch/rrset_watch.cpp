// SPDX-License-Identifier: Apache-2.0

// What an answer other than records does to the members known so far:
//
//   outcome                      keep (default)                           believe
//   timeout, SERVFAIL, REFUSED   stay; backoff                            depart; backoff
//   NXDOMAIN, NODATA             stay; backoff; doubted after             depart; asked again when
//                                absence_window; depart at stale_limit    the negative TTL ends
//   fault of this machine        stay; backoff                            (no such option)
//
// Draining at stale_limit also waits until the negative answers have gone on for absence_window:
// after an outage of more than stale_limit the first answer may be a server that is not ready. And
// they go on only while the last answer is one, and after no longer gap than absence_window: a
// mistaken one before an outage is an outage.

#include "watch/rrset_watch.hpp"

#include <algorithm>

namespace redial::detail {

namespace {

constexpr duration refresh_grace = std::chrono::seconds{1};

on_failure policy_for(answer_outcome outcome, const watch_options& o) noexcept {
  switch (outcome) {
    case answer_outcome::timeout:
      return o.on_timeout;
    case answer_outcome::server_failure:
    case answer_outcome::malformed:
      return o.on_server_failure;
    case answer_outcome::refused:
      return o.on_refused;
    case answer_outcome::name_not_found:
      return o.on_name_not_found;
    case answer_outcome::no_data:
      return o.on_no_data;
    case answer_outcome::records:
    case answer_outcome::local_fault:
    case answer_outcome::closed:
      break;
  }
  return on_failure::keep;
}

error_code error_of(const answer& received) noexcept {
  if (received.outcome == answer_outcome::name_not_found) return errc::name_not_found;
  if (received.outcome == answer_outcome::no_data) return errc::no_data;
  if (received.error) return received.error;
  switch (received.outcome) {
    case answer_outcome::timeout:
      return errc::dns_timeout;
    case answer_outcome::refused:
      return errc::dns_refused;
    case answer_outcome::malformed:
      return errc::dns_bad_answer;
    case answer_outcome::closed:
      return errc::closed;
    default:
      return errc::dns_server_failure;
  }
}

}  // namespace

std::uint32_t rrset_watch::on_answer(const answer& received,
                                     time_point now,
                                     std::size_t room,
                                     member_changes& changes) {
  answered_ = true;
  last_failed_ = !is_definite(received.outcome);
  if (last_failed_) {
    on_failure(received, now, changes);
    return 0;
  }
  if (received.outcome != answer_outcome::records || received.addresses.empty()) {
    on_negative(received, now, changes);
    return 0;
  }
  said_ = verdict::has_records;
  problem_.clear();
  refresh_.on_records(received.ttl, now);
  return members_.on_records(received.addresses, received.ttl, now, room, changes);
}

void rrset_watch::on_negative(const answer& received, time_point now, member_changes& changes) {
  const bool goes_on = is_negative() && now <= after(last_negative_, options_.absence_window);
  if (!goes_on) negative_since_ = now;
  last_negative_ = now;
  said_ =
      received.outcome == answer_outcome::name_not_found ? verdict::name_missing : verdict::no_data;
  negative_ttl_ = received.ttl;
  if (policy_for(received.outcome, options_) == on_failure::believe) members_.drop_all(changes);
  if (empty()) {
    problem_.clear();
    refresh_.on_negative(received.ttl, now);
  } else {
    problem_ = error_of(received);
    refresh_.on_failure(now);
  }
  on_time(now, changes);
}

void rrset_watch::on_failure(const answer& received, time_point now, member_changes& changes) {
  problem_ = error_of(received);
  if (policy_for(received.outcome, options_) == on_failure::believe) members_.drop_all(changes);
  refresh_.on_failure(now);
}

void rrset_watch::on_time(time_point now, member_changes& changes) {
  members_.on_time(now, changes);
  if (!is_negative() || last_failed_ || empty()) return;
  if (now >= drain_at()) {
    members_.drop_all(changes);
    problem_.clear();
  } else if (now >= doubt_at()) {
    members_.doubt_all(changes);
  }
}

void rrset_watch::believe_no_data(time_point now, member_changes& changes) {
  if (said_ != verdict::no_data || empty()) return;
  members_.drop_all(changes);
  problem_.clear();
  if (!refresh_.in_flight()) refresh_.on_negative(negative_ttl_, now);
}

time_point rrset_watch::doubt_at() const noexcept {
  return after(negative_since_, options_.absence_window);
}

time_point rrset_watch::drain_at() const noexcept {
  return std::max(refresh_.expires(),
                  after(negative_since_, std::min(options_.absence_window, options_.stale_limit)));
}

time_point rrset_watch::stale_at() const noexcept {
  const time_point until = refresh_.fresh_until();
  return refresh_.failures() > 0 ? until : after(until, refresh_grace);
}

freshness rrset_watch::state(time_point now) const noexcept {
  const freshness exact = refresh_.at(now);
  return exact == freshness::stale && now < stale_at() ? freshness::fresh : exact;
}

time_point rrset_watch::next_time(time_point now) const noexcept {
  time_point next = members_.next_time();
  const auto consider = [&next, now](time_point when) {
    if (when > now) next = std::min(next, when);
  };
  if (empty()) return next;
  consider(stale_at());
  consider(refresh_.expires());
  if (is_negative() && !last_failed_) {
    if (!members_.all_doubted()) consider(doubt_at());
    consider(drain_at());
  }
  return next;
}

}  // namespace redial::detail
