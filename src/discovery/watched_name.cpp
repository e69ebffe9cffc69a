// SPDX-License-Identifier: Apache-2.0

#include "discovery/watched_name.hpp"

namespace redial::inline REDIAL_ABI::detail {

watched_name::watched_name(only_make,
                           std::string host,
                           std::shared_ptr<const watch_surroundings> around)
    : watched(around), watch_(host, around->watch, seed_for(around->seed, host)) {
  watch_.pause();
}

std::shared_ptr<watched_name> watched_name::make(std::string host,
                                                 std::shared_ptr<const watch_surroundings> around) {
  // In one piece with its counts: every answer and every timer begins with them.
  const auto made = std::make_shared<watched_name>(only_make{}, std::move(host), std::move(around));
  made->own_timer();
  return made;
}

void watched_name::report(const endpoint& where, endpoint_outcome outcome, bool last_usable) {
  apply(watch_.on_report(where.addr, outcome, last_usable, now()));
}

void watched_name::refresh() { apply(watch_.on_refresh_wanted(now())); }

void watched_name::after_suspend() { apply(watch_.on_suspended(now())); }

void watched_name::hosts_changed() {
  if (!around().hosts) return;
  static const std::vector<address> none;
  const auto* const found = around().hosts(watch_.name());
  apply(watch_.on_hosts(found != nullptr ? *found : none, now()));
}

watch_step watched_name::wake_up(time_point now) {
  hosts_changed();  // while nothing is asked yet
  return watch_.resume(now);
}

watch_step watched_name::on_answer(const answer& received, time_point now) {
  return watch_.on_answer(received, now);
}

void watched_name::perform(const watch_step& step) {
  for (const record_type type : step.ask) ask(type);
}

void watched_name::explain(explanation& e, std::uint16_t port) const {
  watch_.explain(e, port, now());
}

}  // namespace redial::inline REDIAL_ABI::detail
