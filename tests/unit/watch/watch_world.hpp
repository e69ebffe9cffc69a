// SPDX-License-Identifier: Apache-2.0
#pragma once

// A world for one name_watch: answers by script, time by hand.

#include <redial/core/address.hpp>
#include <redial/core/answer.hpp>

#include "watch/name_watch.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {

using namespace std::chrono_literals;

inline time_point at(duration since_start) { return time_point{} + 1h + since_start; }

inline address v4(unsigned n) {
  return boost::asio::ip::make_address_v4(0x0a000000U + n);  // 10.0.x.y
}

inline address v6(unsigned n) {
  boost::asio::ip::address_v6::bytes_type bytes{0xfd};
  bytes[14] = static_cast<unsigned char>(n >> 8U);
  bytes[15] = static_cast<unsigned char>(n);
  return boost::asio::ip::address_v6{bytes};
}

/// 10.0.0.n for every n, sorted.
inline std::vector<address> v4s(std::vector<unsigned> numbers) {
  std::vector<address> all;
  for (const unsigned n : numbers) all.push_back(v4(n));
  std::sort(all.begin(), all.end());
  return all;
}

/// 10.0.0.from to 10.0.0.(from + count - 1)
inline std::vector<address> v4_range(unsigned from, unsigned count) {
  std::vector<address> all;
  for (unsigned n = from; n < from + count; ++n) all.push_back(v4(n));
  return all;
}

inline answer records(std::vector<address> addresses, std::chrono::seconds ttl = 60s) {
  answer a;
  a.asked = {"n.test", addresses.front().is_v4() ? record_type::a : record_type::aaaa};
  a.outcome = answer_outcome::records;
  a.addresses = std::move(addresses);
  a.ttl = ttl;
  return a;
}

inline answer other(answer_outcome outcome,
                    record_type type = record_type::a,
                    std::chrono::seconds ttl = 60s) {
  answer a;
  a.asked = {"n.test", type};
  a.outcome = outcome;
  a.ttl = ttl;
  if (outcome == answer_outcome::timeout) a.error = errc::dns_timeout;
  if (outcome == answer_outcome::server_failure) a.error = errc::dns_server_failure;
  return a;
}

/// Drives a name_watch as the discovery would: a question is answered by `zone` after `latency`.
class watch_world {
 public:
  using zone_function = std::function<answer(record_type, time_point)>;

  explicit watch_world(zone_function zone, watch_options options)
      : zone_(std::move(zone)), options_(options), watch_("n.test", options_, 7) {
    take(watch_.on_time(now_));
  }

  explicit watch_world(zone_function zone) : watch_world(std::move(zone), seeded()) {}

  static watch_options seeded(bool ipv6 = false) {
    watch_options o;
    o.ipv6 = ipv6;
    o.seed = 7;
    return o;
  }

  /// Runs everything due up to `until`.
  void run_to(time_point until) {
    while (true) {
      const time_point next = std::min(wake_, next_answer());
      if (next > until) break;
      now_ = std::max(now_, next);
      if (next_answer() <= now_) {
        deliver();
      } else {
        take(watch_.on_time(now_));
      }
    }
    now_ = until;
  }
  void run_for(duration d) { run_to(now_ + d); }

  void report(const address& where, endpoint_outcome outcome, bool last_usable = false) {
    take(watch_.on_report(where, outcome, last_usable, now_));
  }
  void hosts(const std::vector<address>& addresses) { take(watch_.on_hosts(addresses, now_)); }
  void refresh() { take(watch_.on_refresh_wanted(now_)); }
  void suspended() { take(watch_.on_suspended(now_)); }

  [[nodiscard]] explanation explained() const {
    explanation e;
    e.target = "n.test";
    e.now = now_;
    watch_.explain(e, 80, now_);
    return e;
  }
  [[nodiscard]] time_point now() const { return now_; }
  [[nodiscard]] time_point wake() const { return wake_; }
  [[nodiscard]] snapshot_ptr current() const { return watch_.current(); }
  [[nodiscard]] std::vector<address> addresses() const {
    std::vector<address> all;
    if (!current()) return all;
    for (const auto& e : current()->endpoints) all.push_back(e.where.addr);
    return all;
  }
  [[nodiscard]] const snapshot_entry* entry(const address& a) const {
    if (!current()) return nullptr;
    for (const auto& e : current()->endpoints) {
      if (e.where.addr == a) return &e;
    }
    return nullptr;
  }
  [[nodiscard]] int count(const address& a, endpoint_change change) const {
    int n = 0;
    for (const auto& c : changes) n += c.where.addr == a && c.change == change ? 1 : 0;
    return n;
  }

  duration latency = 1ms;
  std::vector<std::pair<time_point, record_type>> questions;
  std::vector<snapshot_ptr> published;
  std::vector<time_point> published_at;
  std::vector<detail::presence_change> changes;
  std::uint64_t left_out = 0;
  int deferred = 0;
  int joined = 0;
  int events = 0;

 private:
  struct pending {
    time_point when;
    answer what;
  };

  [[nodiscard]] time_point next_answer() const {
    time_point next = time_point::max();
    for (const pending& p : pending_) next = std::min(next, p.when);
    return next;
  }

  void deliver() {
    for (auto p = pending_.begin(); p != pending_.end(); ++p) {
      if (p->when > now_) continue;
      const answer a = std::move(p->what);
      pending_.erase(p);
      take(watch_.on_answer(a, now_));
      return;
    }
  }

  void take(detail::watch_step step) {
    ++events;
    for (const record_type type : step.ask) {
      questions.emplace_back(now_, type);
      answer a = zone_(type, now_);
      a.asked.type = type;
      pending_.push_back({now_ + latency, std::move(a)});
    }
    if (step.publish) {
      published.push_back(step.publish->what);
      published_at.push_back(now_);
      const auto& news = step.publish->changes;
      changes.insert(changes.end(), news.begin(), news.end());
    }
    left_out += step.left_out;
    deferred += step.deferred ? 1 : 0;
    joined += step.joined ? 1 : 0;
    wake_ = step.wake;
  }

  zone_function zone_;
  const watch_options options_;
  time_point now_ = at(0s);
  time_point wake_ = time_point::max();
  std::vector<pending> pending_;
  detail::name_watch watch_;
};

}  // namespace redial::inline REDIAL_ABI::testing
