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

namespace redial::inline REDIAL_ABI::detail {

namespace {

constexpr duration refresh_grace = std::chrono::seconds{1};

error_code error_of(const reply& received) noexcept {
  // What is definite has one code each, whoever found it out.
  if (received.outcome == answer_outcome::name_not_found) return errc::name_not_found;
  if (is_definite(received.outcome)) {
    return received.error == errc::no_service ? errc::no_service : errc::no_data;
  }
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

void answer_log::add(const answer_note& note) noexcept { ring_[count_++ % ring_.size()] = note; }

std::vector<answer_note> answer_log::notes() const {
  std::vector<answer_note> all;
  const std::size_t kept = std::min(count_, ring_.size());
  for (std::size_t n = count_ - kept; n < count_; ++n) all.push_back(ring_[n % ring_.size()]);
  return all;
}

template <class Key>
on_failure basic_rrset_watch<Key>::policy_for(answer_outcome outcome) const noexcept {
  switch (outcome) {
    case answer_outcome::timeout:
      return options_.on_timeout;
    case answer_outcome::server_failure:
    case answer_outcome::malformed:
      return options_.on_server_failure;
    case answer_outcome::refused:
      return options_.on_refused;
    case answer_outcome::name_not_found:
      return options_.on_name_not_found;
    case answer_outcome::no_data:
    case answer_outcome::records:  // that turned out to hold none
      return on_empty_;
    case answer_outcome::local_fault:
    case answer_outcome::closed:
      break;
  }
  return on_failure::keep;
}

template <class Key>
std::uint32_t basic_rrset_watch<Key>::on_answer(const reply& received,
                                                const std::vector<Key>& records,
                                                time_point now,
                                                std::size_t room) {
  answered_ = true;
  last_failed_ = !is_definite(received.outcome);
  if (!last_failed_) ++answers_;
  answer_note note;
  note.at = now;
  note.outcome = received.outcome;
  note.ttl = received.ttl;
  note.records = static_cast<std::uint32_t>(records.size());
  std::uint32_t left_out = 0;
  if (last_failed_) {
    on_failed(received, now);
  } else if (received.outcome != answer_outcome::records || records.empty()) {
    on_negative(received, now);
  } else {
    said_ = verdict::has_records;
    vouched_ = confirmed_ = false;
    problem_.clear();
    refresh_.on_records(received.ttl, now);
    const auto told = members_.on_records(records, received.ttl, now, room);
    note.independent = told.independent;
    left_out = told.left_out;
  }
  if (received.outcome != answer_outcome::records) note.error = error_of(received);
  log_.add(note);
  return left_out;
}

template <class Key>
void basic_rrset_watch<Key>::on_negative(const reply& received, time_point now) {
  const bool goes_on = is_negative() && now <= after(last_negative_, options_.absence_window);
  if (!goes_on) negative_since_ = now;
  last_negative_ = now;
  said_ =
      received.outcome == answer_outcome::name_not_found ? verdict::name_missing : verdict::no_data;
  vouched_ = vouched_ && said_ == verdict::no_data;
  confirmed_ = vouched_;
  negative_ttl_ = received.ttl;
  negative_error_ = error_of(received);
  if (policy_for(received.outcome) == on_failure::believe) members_.drop_all();
  if (empty()) {
    problem_.clear();
    refresh_.on_negative(received.ttl, now);
  } else {
    problem_ = negative_error_;
    refresh_.on_failure(now);
  }
  on_time(now);
}

template <class Key>
void basic_rrset_watch<Key>::on_failed(const reply& received, time_point now) {
  problem_ = error_of(received);
  if (policy_for(received.outcome) == on_failure::believe) members_.drop_all();
  refresh_.on_failure(now);
}

template <class Key>
void basic_rrset_watch<Key>::on_time(time_point now) {
  members_.on_time(now);
  if (!is_negative() || last_failed_ || empty()) return;
  if (now >= drain_at()) {
    members_.drop_all();
    problem_.clear();
  } else if (now >= doubt_at()) {
    members_.doubt_all();
  }
}

template <class Key>
void basic_rrset_watch<Key>::believe_no_data(time_point now) {
  if (!confirmed_ || empty()) return;
  members_.drop_all();
  problem_.clear();
  if (!refresh_.in_flight()) refresh_.on_negative(negative_ttl_, now);
}

template <class Key>
void basic_rrset_watch<Key>::forget() noexcept {
  members_.drop_all();
  said_ = verdict::unknown;
  answered_ = false;
  last_failed_ = false;
  vouched_ = confirmed_ = false;
  problem_.clear();
}

template <class Key>
time_point basic_rrset_watch<Key>::doubt_at() const noexcept {
  return after(negative_since_, options_.absence_window);
}

template <class Key>
time_point basic_rrset_watch<Key>::drain_at() const noexcept {
  return std::max(refresh_.expires(),
                  after(negative_since_, std::min(options_.absence_window, options_.stale_limit)));
}

template <class Key>
time_point basic_rrset_watch<Key>::stale_at() const noexcept {
  const time_point until = refresh_.fresh_until();
  return refresh_.failures() > 0 ? until : after(until, refresh_grace);
}

template <class Key>
freshness basic_rrset_watch<Key>::state(time_point now) const noexcept {
  const freshness exact = refresh_.at(now);
  return exact == freshness::stale && now < stale_at() ? freshness::fresh : exact;
}

template <class Key>
time_point basic_rrset_watch<Key>::next_time(time_point now) const noexcept {
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

template <class Key>
set_explanation basic_rrset_watch<Key>::explain(time_point now) const {
  set_explanation e;
  e.state = state(now);
  e.fresh_until = refresh_.fresh_until();
  e.next_refresh = refresh_.due();
  e.in_flight = refresh_.in_flight();
  e.failures = refresh_.failures();
  e.last_error = last_failed_ || !problem_ ? problem_ : negative_error_;
  if (!e.last_error && is_negative()) e.last_error = negative_error_;
  e.rotating = members_.rotating();
  e.why_rotating = members_.rotates().reason();
  e.answers = answers_;
  e.last_answers = log_.notes();
  return e;
}

template <class Key>
endpoint_explanation basic_rrset_watch<Key>::explain(const basic_member<Key>& m,
                                                     time_point now) const {
  endpoint_explanation e;
  e.presence = m.presence;
  e.doubted = m.doubted;
  e.first_seen = m.first_seen;
  e.last_seen = m.last_seen;
  e.seen_in = m.seen;
  if (m.presence == presence::present) {
    e.why = "in the last good answer";
  } else {
    e.missed = m.misses;
    e.misses_needed = members_.needed(m);
    e.why = "missing from the last answers of a name whose answers show only some";
    const time_point window = after(m.missing_since, options_.absence_window);
    if (now < window) {
      e.next = "doubted: no new connections without proof of identity";
      e.next_at = window;
    } else {
      e.next = "departs after enough answers without it, or when a connection to it fails";
    }
  }
  if (is_negative()) explain_doubt(e, now);
  return e;
}

template <class Key>
void basic_rrset_watch<Key>::explain_doubt(endpoint_explanation& e, time_point now) const {
  e.presence = members_.all_doubted() ? presence::absent : e.presence;
  e.doubted = e.doubted || members_.all_doubted();
  e.why = "last known good: the last definite answer had no records (" + negative_error_.message() +
          ")";
  if (now < doubt_at()) {
    e.next = "doubted, if the negative answers go on";
    e.next_at = doubt_at();
  } else {
    e.next = "departs, if the negative answers go on";
    e.next_at = drain_at();
  }
}

template class basic_rrset_watch<address>;
template class basic_rrset_watch<service>;
template class basic_rrset_watch<endpoint>;

}  // namespace redial::inline REDIAL_ABI::detail
