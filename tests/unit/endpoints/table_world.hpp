// SPDX-License-Identifier: Apache-2.0
#pragma once

// An endpoint table with short words for what happens to it.

#include <redial/core/address.hpp>
#include <redial/watch/snapshot.hpp>

#include "endpoints/endpoint_table.hpp"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

using namespace std::chrono_literals;

inline endpoint ep(const std::string& text, std::uint16_t port = 80) {
  return {boost::asio::ip::make_address(text), port};
}

/// `lives` counts how often an address came back, as a watch does.
class table_world {
 public:
  explicit table_world(const endpoint_rules& rules = {}) : table(rules, 7) {}

  /// The name has exactly these addresses now.
  void dns(std::initializer_list<std::string> addresses) {
    snapshot s;
    s.generation = ++generation_;
    s.state = freshness::fresh;
    std::set<std::string> shown(addresses);
    for (const auto& a : gone_) {
      if (shown.count(a) != 0) ++lives_[a];
    }
    for (const auto& a : last_) {
      if (shown.count(a) == 0) gone_.insert(a);
    }
    for (const auto& a : shown) gone_.erase(a);
    last_ = shown;
    for (const auto& a : shown) s.endpoints.push_back(entry(a));
    std::sort(s.endpoints.begin(), s.endpoints.end(), [](const auto& a, const auto& b) {
      return a.where < b.where;
    });
    show(s);
  }

  void show(const snapshot& s) {
    generation_ = std::max(generation_, s.generation);
    step([&](table_changes& out) { accepted = table.apply(s, now, out); });
  }

  /// The same, with `priorities` of those that have another one than 0.
  void dns(std::initializer_list<std::string> addresses,
           const std::map<std::string, std::uint16_t>& priorities) {
    priorities_ = priorities;
    dns(addresses);
  }

  snapshot_entry entry(const std::string& a) {
    snapshot_entry e;
    e.where = ep(a);
    if (const auto it = priorities_.find(a); it != priorities_.end()) e.where.priority = it->second;
    e.life = lives_[a];
    return e;
  }

  /// The entry that is behind the name now.
  endpoint_entry& at(const std::string& a) {
    for (endpoint_entry* e : table.current()) {
      if (e->where == ep(a)) return *e;
    }
    throw std::out_of_range(a);
  }
  /// The entry of a former life.
  endpoint_entry& former(const std::string& a) {
    for (endpoint_entry* e : table.departed()) {
      if (e->where == ep(a)) return *e;
    }
    throw std::out_of_range(a);
  }

  void opened(endpoint_entry& e, bool warming = true) {
    step([&](table_changes& out) { table.opened(e, warming, now, out); });
  }
  void failed(endpoint_entry& e, bool local = false) { failed(e, errc::connect_timeout, local); }
  void failed(endpoint_entry& e, const error_code& why, bool local) {
    const endpoint_table::connect_failure f{why, local, e.warming_now, false};
    step([&](table_changes& out) { table.connect_failed(e, f, now, out); });
  }
  /// A lease of a connection that was opened at `opened` ended badly.
  void lease_failed(endpoint_entry& e,
                    const error_code& why = errc::attempt_timeout,
                    happening opened = 0,
                    bool reset = false) {
    step([&](table_changes& out) { table.lease_failed(e, {why, opened, reset}, now, out); });
  }
  void probed(endpoint_entry& e, const error_code& why = {}) {
    step([&](table_changes& out) { table.probed(e, why, now, out); });
  }
  void reset(endpoint_entry& e) {
    step([&](table_changes& out) { table.connection_reset(e, out); });
  }
  void advance(duration d) {
    now += d;
    step([&](table_changes& out) { table.on_time(now, out); });
  }

  /// Starts every attempt that may begin now; their addresses in that order.
  std::vector<std::string> start_warming() {
    std::vector<std::string> started;
    while (table.warming().is_ready(now)) {
      started.push_back(table.warming().take(now).where.addr.to_string());
    }
    return started;
  }
  /// Warms and opens `a` at once.
  void prove(const std::string& a) {
    (void)start_warming();
    opened(at(a));
  }

  std::vector<std::string> usable() const {
    std::vector<std::string> all;
    for (const endpoint_entry* e : table.choice().usable()) {
      all.push_back(e->where.addr.to_string());
    }
    std::sort(all.begin(), all.end());
    return all;
  }

  /// Those that calls go to.
  std::vector<std::string> serving() const {
    std::vector<std::string> all;
    for (const endpoint_entry* e : table.choice().usable()) {
      if (e->is_serving()) all.push_back(e->where.addr.to_string());
    }
    std::sort(all.begin(), all.end());
    return all;
  }

  endpoint_table table;
  time_point now = time_point{} + 1h;
  bool accepted = false;
  /// Since the beginning: the addresses; and how a panic turned last.
  std::vector<std::string> shunned;
  std::vector<std::string> quarantined;
  std::optional<table_changes::panic> turned;
  /// Since the last look, as `change address`.
  std::vector<std::string> told() { return std::exchange(told_, {}); }

 private:
  template <class Step>
  void step(const Step& what) {
    table_changes out;
    what(out);
    for (const auto& c : out.told) {
      told_.push_back(std::string(to_string(c.what)) + " " + c.where.addr.to_string());
    }
    for (const auto* e : out.shunned) shunned.push_back(e->where.addr.to_string());
    for (const auto* e : out.quarantined) quarantined.push_back(e->where.addr.to_string());
    if (out.turned) turned = out.turned;
    for (endpoint_entry* e : out.drained) {
      if (e->connections == 0) table.release(*e);
    }
  }

  std::uint64_t generation_ = 0;
  std::map<std::string, std::uint64_t> lives_;
  std::map<std::string, std::uint16_t> priorities_;
  std::set<std::string> last_;
  std::set<std::string> gone_;
  std::vector<std::string> told_;
};

using words = std::vector<std::string>;

}  // namespace redial::inline REDIAL_ABI::detail
