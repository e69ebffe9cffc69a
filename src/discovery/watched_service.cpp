// SPDX-License-Identifier: Apache-2.0

#include "discovery/watched_service.hpp"

#include "discovery/fixed_snapshot.hpp"
#include "discovery/subscription_state.hpp"
#include "watch/denied_addresses.hpp"

#include <utility>

namespace redial::inline REDIAL_ABI::detail {

watched_service::watched_service(std::string owner,
                                 std::shared_ptr<const watch_surroundings> around)
    : watched(around), watch_(owner, around->watch, seed_for(around->seed, owner)) {
  watch_.pause();
}

std::shared_ptr<watched_service> watched_service::make(
    std::string owner, std::shared_ptr<const watch_surroundings> around) {
  const std::shared_ptr<watched_service> made(
      new watched_service(std::move(owner), std::move(around)));
  made->own_timer();
  return made;
}

void watched_service::report(const endpoint& where, endpoint_outcome outcome, bool last_usable) {
  apply(watch_.on_report(where, outcome, last_usable, now()));
}

// Each of the targets keeps its own distance between forced refreshes.
void watched_service::refresh() {
  for (const auto& [target, followed] : hosts_) {
    if (followed.host) followed.host->refresh();
  }
  apply(watch_.on_refresh_wanted(now()));
}

void watched_service::after_suspend() { apply(watch_.on_suspended(now())); }

watch_step watched_service::on_answer(const answer& received, time_point now) {
  return watch_.on_answer(received, now);
}

void watched_service::perform(const watch_step& step) {
  for (const record_type type : step.ask) ask(type);
  for (const std::string& target : step.unfollow) unfollow(target);
  for (const std::string& target : step.follow) follow(target);
  for (const target_report& r : step.reports) {
    const auto at = hosts_.find(r.target);
    if (at == hosts_.end() || !at->second.host) continue;
    at->second.host->report(r.where, r.outcome, r.last_usable);
  }
}

void watched_service::follow(const std::string& target) {
  // By post, as for anybody: news of a host never arrive in the middle of something else.
  auto self = std::weak_ptr(std::static_pointer_cast<watched_service>(shared_from_this()));
  auto on_snapshot = [self, target](snapshot_ptr s) {
    const auto service = self.lock();
    if (!service || service->is_closed()) return;
    service->heard_of(target, std::move(s));
  };
  const auto made = std::make_shared<subscription_state>(std::weak_ptr<discovery_state>{},
                                                         std::string{},
                                                         std::uint16_t{0},
                                                         around().strand,
                                                         on_snapshot);
  const auto fixed = redial::target::parse("tcp://" + target + ":1");
  if (fixed && !fixed->fixed_endpoints().empty()) {  // localhost (RFC 6761 section 6.3)
    hosts_[target] = {nullptr, made};
    made->deliver(fixed_snapshot(*fixed, around().watch));
  } else if (const auto host = around().host(target)) {
    hosts_[target] = {host, made};
    host->add(made);
  }
}

// An answer of DNS has led to these addresses, wherever they are from.
void watched_service::heard_of(const std::string& target, snapshot_ptr s) {
  std::uint32_t dropped = 0;
  s = without_denied(std::move(s), around().denied, dropped);
  if (dropped != 0) around().counters->add(&dns_counters::dropped_records, dropped);
  apply(watch_.on_target(target, std::move(s), now()));
}

void watched_service::unfollow(const std::string& target) {
  const auto at = hosts_.find(target);
  if (at == hosts_.end()) return;
  const followed_host gone = std::move(at->second);
  hosts_.erase(at);
  gone.subscription->cancel();
  if (gone.host) gone.host->remove(gone.subscription);
}

void watched_service::fall_asleep() noexcept {
  watch_.pause();
  while (!hosts_.empty()) unfollow(std::string(hosts_.begin()->first));
}

void watched_service::shut_down() noexcept {
  const auto hosts = std::move(hosts_);
  hosts_.clear();
  for (const auto& [target, followed] : hosts) followed.subscription->cancel();
}

void watched_service::explain(explanation& e, std::uint16_t port) const {
  watch_.explain(e, now());
  for (const auto& [target, followed] : hosts_) {
    if (!followed.host) continue;
    explanation of_host;
    followed.host->explain(of_host, port);
    for (set_explanation& s : of_host.sets) e.sets.push_back(std::move(s));
  }
}

}  // namespace redial::inline REDIAL_ABI::detail
