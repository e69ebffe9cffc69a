// SPDX-License-Identifier: Apache-2.0
#pragma once

// A world for one service_watch: its record set and the addresses of its targets by script, time by
// hand.

#include <redial/core/answer.hpp>
#include <redial/watch/explanation.hpp>

#include "watch/service_watch.hpp"
#include "watch_world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {

inline srv_record srv(std::string target,
                      std::uint16_t port = 80,
                      std::uint16_t priority = 0,
                      std::uint16_t weight = 0) {
  srv_record r;
  r.target = std::move(target);
  r.port = port;
  r.priority = priority;
  r.weight = weight;
  return r;
}

inline answer services(std::vector<srv_record> list, std::chrono::seconds ttl = 60s) {
  answer a;
  a.asked = {"_s._tcp.test", record_type::srv};
  a.outcome = answer_outcome::records;
  a.services = std::move(list);
  std::sort(a.services.begin(), a.services.end());
  a.ttl = ttl;
  return a;
}

inline answer no_service() {
  answer a = other(answer_outcome::no_data, record_type::srv);
  a.error = errc::no_service;
  return a;
}

/// What a target's own watch would publish.
inline snapshot_ptr addresses_of(const std::vector<address>& list,
                                 freshness state = freshness::fresh) {
  auto s = std::make_shared<snapshot>();
  s->state = state;
  for (const address& a : list) {
    snapshot_entry e;
    e.where = endpoint{a, 0};
    s->endpoints.push_back(e);
  }
  s->fresh_until = time_point::max();
  return s;
}

inline snapshot_ptr no_addresses(error_code why, bool definite, freshness state) {
  auto s = std::make_shared<snapshot>();
  s->state = state;
  s->error = why;
  s->definite = definite;
  return s;
}
inline snapshot_ptr nxdomain() {
  return no_addresses(errc::name_not_found, true, freshness::unresolved);
}
inline snapshot_ptr never_answered() {
  return no_addresses(errc::dns_timeout, false, freshness::unresolved);
}

/// Drives a service_watch as the discovery would. A target that is followed says what `hosts` holds
/// for it after `host_latency`, or nothing while it has no entry there.
class service_world {
 public:
  explicit service_world(watch_options options = watch_world::seeded())
      : options_(options), watch_("_s._tcp.test", options_, 7) {}

  void start() { take(watch_.on_time(now_)); }
  /// One more answer to come: the last one is given for ever.
  void say(answer a) { said_ = std::move(a); }
  void say(std::vector<srv_record> list, std::chrono::seconds ttl = 60s) {
    say(services(std::move(list), ttl));
  }

  void run_to(time_point until) {
    while (true) {
      time_point next = wake_;
      for (const pending& p : pending_) next = std::min(next, p.when);
      if (next > until) break;
      now_ = std::max(now_, next);
      if (!deliver()) {
        take(watch_.on_time(now_));
        EXPECT_GT(wake_, now_) << "a wake-up that changes nothing";
      }
    }
    now_ = until;
  }
  void run_for(duration d) { run_to(now_ + d); }

  /// News of a target, at once. Told to the watch if it follows the target.
  void target_says(const std::string& target, const snapshot_ptr& s) {
    hosts[target] = s;
    if (followed.count(target) != 0) take(watch_.on_target(target, s, now_));
  }
  void target_has(const std::string& target, const std::vector<address>& list) {
    target_says(target, addresses_of(list));
  }
  void answer_now(const answer& a) { take(watch_.on_answer(a, now_)); }
  void late_snapshot(const std::string& target, const snapshot_ptr& s) {
    take(watch_.on_target(target, s, now_));
  }
  void report(const endpoint& e, endpoint_outcome outcome, bool last_usable = false) {
    take(watch_.on_report(e, outcome, last_usable, now_));
  }
  void refresh() { take(watch_.on_refresh_wanted(now_)); }
  void pause() {
    watch_.pause();
    followed.clear();  // as the driver does
    std::erase_if(pending_, [](const pending& p) { return !p.target.empty(); });
    paused_ = true;
    wake_ = time_point::max();
  }
  void resume() {
    paused_ = false;
    take(watch_.resume(now_));
  }

  [[nodiscard]] explanation explained() const {
    explanation e;
    e.now = now_;
    watch_.explain(e, now_);
    return e;
  }
  [[nodiscard]] time_point now() const { return now_; }
  [[nodiscard]] snapshot_ptr current() const { return watch_.current(); }
  /// `10.0.0.1:80 (a.test)` for every endpoint, `!` behind an absent one, `?` behind a doubted one.
  [[nodiscard]] std::vector<std::string> shown() const { return shown_in(current()); }
  [[nodiscard]] static std::vector<std::string> shown_in(const snapshot_ptr& s) {
    std::vector<std::string> all;
    if (!s) return all;
    for (const auto& e : s->endpoints) {
      const char* const mark = e.doubted ? "?" : e.presence == presence::absent ? "!" : "";
      all.push_back(to_string(e.where) + mark);
    }
    return all;
  }
  [[nodiscard]] const snapshot_entry* entry(const std::string& text) const {
    for (const auto& e : current()->endpoints) {
      if (to_string(e.where) == text) return &e;
    }
    return nullptr;
  }

  duration latency = 1ms;
  duration host_latency = 1ms;
  std::map<std::string, snapshot_ptr> hosts;
  std::set<std::string> followed;
  std::size_t waiting = 0;       // followed, without an answer so far
  std::size_t most_waiting = 0;  // at any moment
  std::vector<time_point> questions;
  std::vector<snapshot_ptr> published;
  std::vector<detail::target_report> reports;
  std::uint64_t left_out = 0;

 private:
  struct pending {
    time_point when;
    answer what;
    std::string target;  // empty: an answer to the SRV question
  };

  bool deliver() {
    for (auto p = pending_.begin(); p != pending_.end(); ++p) {
      if (p->when > now_) continue;
      const pending due = std::move(*p);
      pending_.erase(p);
      if (due.target.empty()) {
        take(watch_.on_answer(due.what, now_));
      } else {
        --waiting;
        take(watch_.on_target(due.target, hosts.at(due.target), now_));
      }
      return true;
    }
    return false;
  }

  void take(detail::watch_step step) {
    for (const record_type type : step.ask) {
      EXPECT_EQ(type, record_type::srv);
      questions.push_back(now_);
      pending_.push_back({now_ + latency, said_, {}});
    }
    for (const std::string& t : step.unfollow) {
      EXPECT_EQ(followed.erase(t), 1U) << t;
      std::erase_if(pending_, [&t](const pending& p) { return p.target == t; });
    }
    for (const std::string& t : step.follow) {
      EXPECT_TRUE(followed.insert(t).second) << t;
      if (hosts.count(t) == 0) continue;
      pending_.push_back({now_ + host_latency, {}, t});
      most_waiting = std::max(most_waiting, ++waiting);
    }
    if (step.publish) published.push_back(step.publish->what);
    reports.insert(reports.end(), step.reports.begin(), step.reports.end());
    left_out += step.left_out;
    wake_ = paused_ ? time_point::max() : step.wake;
  }

  const watch_options options_;
  time_point now_ = at(0s);
  time_point wake_ = time_point::max();
  answer said_ = other(answer_outcome::timeout, record_type::srv);
  std::vector<pending> pending_;
  bool paused_ = false;
  detail::service_watch watch_;
};

}  // namespace redial::inline REDIAL_ABI::testing
