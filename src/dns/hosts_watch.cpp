// SPDX-License-Identifier: Apache-2.0
//
// Constants and reasons
//   5 s until a removal counts   writers that empty the file and fill it again are done by then;
//   for
//                                a role that has moved, calls have the new address meanwhile
//
// Steps of a text: what is known and not in it is marked as leaving, and kept. What then differs is
// reported. Last go those whose time has come.
#include "dns/hosts_watch.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {
namespace {

std::vector<address> without(const std::vector<address>& all, const std::vector<address>& these) {
  std::vector<address> rest;
  std::set_difference(all.begin(), all.end(), these.begin(), these.end(), std::back_inserter(rest));
  return rest;
}

// Of sorted ranges with nothing in common.
template <class Range, class Less>
Range merged(Range a, Range b, Less less) {
  Range all;
  all.reserve(a.size() + b.size());
  std::merge(std::make_move_iterator(a.begin()),
             std::make_move_iterator(a.end()),
             std::make_move_iterator(b.begin()),
             std::make_move_iterator(b.end()),
             std::back_inserter(all),
             less);
  return all;
}

bool by_name(const hosts_entry& a, const hosts_entry& b) noexcept { return a.name < b.name; }

}  // namespace

hosts_step hosts_watch::on_text(const std::optional<std::string>& settled, time_point now) {
  hosts_table table = settled ? hosts_table::parse(*settled) : hosts_table{};
  counts_ = table.counts();
  credible_ = table.is_credible();
  hosts_entries next = std::move(table).take_entries();
  const leaving_names before = std::exchange(leaving_, {});
  hosts_entries lost;
  for (const hosts_entry& known : known_) {
    hosts_entry* const fresh = find_entry(next, known.name);
    auto lacking = fresh == nullptr ? known.addresses : without(known.addresses, fresh->addresses);
    if (lacking.empty()) continue;
    const auto marked = before.find(known.name);
    mark(known.name, lacking, marked == before.end() ? departures{} : marked->second, now);
    if (fresh == nullptr) {
      lost.push_back({known.name, std::move(lacking)});
    } else {
      fresh->addresses = merged(std::move(fresh->addresses), std::move(lacking), std::less<>{});
    }
  }
  if (!lost.empty()) next = merged(std::move(next), std::move(lost), by_name);
  hosts_step step{changed_names(known_, next)};
  known_ = std::move(next);

  const hosts_step due = on_time(now);
  std::vector<std::string> all;
  std::ranges::set_union(step.changed, due.changed, std::back_inserter(all));
  return {std::move(all)};
}

void hosts_watch::mark(const std::string& name,
                       const std::vector<address>& lacking,
                       const departures& before,
                       time_point now) {
  departures& marks = leaving_[name];
  for (const address& a : lacking) {
    const auto marked = std::ranges::find(before, a, &departure::where);
    const bool goes_already = marked != before.end() && marked->goes_at != time_point::max();
    const time_point goes_at = goes_already ? marked->goes_at : after(now, removal_delay);
    marks.push_back({a, credible_ ? goes_at : time_point::max()});
  }
}

hosts_step hosts_watch::on_time(time_point now) {
  hosts_step step;
  for (auto at = leaving_.begin(); at != leaving_.end();) {
    auto& [name, marks] = *at;
    hosts_entry& known = *find_entry(known_, name);
    const auto drop = [&](const departure& d) {
      if (d.goes_at > now) return false;
      std::erase(known.addresses, d.where);
      return true;
    };
    if (std::erase_if(marks, drop) > 0) step.changed.push_back(name);
    at = marks.empty() ? leaving_.erase(at) : std::next(at);
  }
  if (!step.changed.empty()) {
    std::erase_if(known_, [](const hosts_entry& e) { return e.addresses.empty(); });
  }
  return step;
}

void hosts_watch::hold() noexcept {
  for (auto& [name, marks] : leaving_) {
    for (departure& d : marks) d.goes_at = time_point::max();
  }
}

time_point hosts_watch::next_time() const noexcept {
  time_point first = time_point::max();
  for (const auto& [name, marks] : leaving_) {
    for (const departure& d : marks) first = std::min(first, d.goes_at);
  }
  return first;
}

const std::vector<address>* hosts_watch::find(std::string_view name) const noexcept {
  const hosts_entry* const found = find_entry(known_, name);
  return found == nullptr ? nullptr : &found->addresses;
}

}  // namespace redial::inline REDIAL_ABI::detail
