// SPDX-License-Identifier: Apache-2.0
#pragma once

// All endpoints of one pool: what DNS says about them, joined with what became of them here.

#include <redial/core/error.hpp>
#include <redial/core/events.hpp>
#include <redial/core/time.hpp>
#include <redial/watch/snapshot.hpp>

#include "endpoints/endpoint_entry.hpp"
#include "endpoints/selector.hpp"
#include "endpoints/warming_queue.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// What a step of the table asks of the pool.
struct table_changes {
  struct change {
    endpoint where;
    endpoint_change what{};
    error_code error;
  };
  /// To tell, in order.
  std::vector<change> told;
  /// Take no more leases: close what is idle, abandon what is opening, mark what is leased, then
  /// `release` once nothing is left.
  std::vector<endpoint_entry*> drained;
  /// Not leased for now: close what is idle and, when it comes back, what is leased.
  std::vector<endpoint_entry*> shunned;
  /// Never leased again unless proven anew: as `drained`, but they stay.
  std::vector<endpoint_entry*> quarantined;
  struct panic {
    bool begun = false;
    std::uint32_t healthy = 0;
    std::uint32_t endpoints = 0;
  };
  std::optional<panic> turned;
  /// Changes of presence, counted; whoever publishes snapshots has told them.
  std::array<std::uint32_t, endpoint_change_count> seen{};
  void saw(endpoint_change c) noexcept { ++seen[static_cast<std::size_t>(c)]; }
};

/// What became of endpoints, as sums.
struct health_sums {
  std::uint64_t ejections = 0;
  std::uint64_t quarantines = 0;
  std::uint64_t panics = 0;
};

/// This machine has no IPv6, or no route for it: that says nothing about the endpoint, and no other
/// attempt there would end differently. (The same codes for IPv4 mean trouble that passes.)
[[nodiscard]] bool lacks_family(const endpoint& where, const error_code& why) noexcept;

/// Presence x health (design, Membership). One `step` per event; a departed entry stays until the
/// pool has released it.
///
/// \par Threads None of its own: the pool's lock guards it.
class endpoint_table {
 public:
  endpoint_table(const endpoint_rules& rules, std::uint64_t seed);
  endpoint_table(const endpoint_table&) = delete;
  endpoint_table& operator=(const endpoint_table&) = delete;

  /// False, and nothing changed, for a generation that is not newer than the last.
  bool apply(const snapshot& s, time_point now, table_changes& out);

  /// A connection to `e` was opened and proven. Only a warming attempt brings one back that is out
  /// of use; `warming`: it was one.
  void opened(endpoint_entry& e, bool warming, time_point now, table_changes& out);
  /// A connect to `e` failed. `local`: this machine is to blame, so nothing is held against `e`
  /// beyond a pause.
  struct connect_failure {
    error_code why;
    bool local = false;
    bool warming = false;
    bool unasked = false;  ///< Nobody needed it, so it is no failure of a call.
  };
  void connect_failed(endpoint_entry& e,
                      const connect_failure& f,
                      time_point now,
                      table_changes& out);
  /// An open connection of `e` was reset.
  void connection_reset(endpoint_entry& e, table_changes& out);

  // Health, in endpoint_health.cpp. None of it concerns endpoints that have departed.

  /// A lease ended badly, and not by this machine's fault. `opened`: when its connection was.
  /// `reset`: the peer ended it. Connections that a restart of the peer takes down together are one
  /// failure, so of resets only those count whose connection was opened after the last one.
  struct lease_failure {
    error_code why;
    happening opened = 0;
    bool reset = false;
  };
  void lease_failed(endpoint_entry& e, const lease_failure& f, time_point now, table_changes& out);
  /// A lease of a `suspect` went well.
  void lease_succeeded(endpoint_entry& e) noexcept;
  /// A probe of `e` ended; clear: it passed.
  void probed(endpoint_entry& e, const error_code& why, time_point now, table_changes& out);
  /// `chosen`, or another one that has an idle connection while `chosen` is in its slow start and
  /// has had its share. Only when `is_ramping`.
  [[nodiscard]] bool is_ramping() const noexcept { return ramping_ > 0; }
  [[nodiscard]] bool is_over_share(endpoint_entry& e, time_point now) noexcept;
  /// With nobody to lease, and nothing under way that could change it before time does: the one
  /// that went out of use last. Else null.
  [[nodiscard]] const endpoint_entry* last_out() const noexcept;
  [[nodiscard]] bool is_panicking() const noexcept { return panic_; }
  [[nodiscard]] const health_sums& sums() const noexcept { return sums_; }

  /// A warming attempt of `e` was given up without a result (pool or attempt is gone).
  void warming_abandoned(endpoint_entry& e) { warming_.remove(e); }
  /// Ends retentions whose time is over.
  void on_time(time_point now, table_changes& out);
  /// Drains everything: the pool closes.
  void drain_all(table_changes& out);
  /// Forgets a drained entry that holds no connection any more.
  void release(endpoint_entry& e) noexcept;

  [[nodiscard]] std::optional<time_point> next_retention_end() const noexcept;

  [[nodiscard]] bool may_connect(const endpoint_entry& e) const noexcept {
    return !e.doubted || rules_.identity_proven;
  }
  /// No endpoint besides `e` that is still behind the name could serve.
  [[nodiscard]] bool is_last_usable(const endpoint_entry& e) const noexcept;
  /// An endpoint that may serve has a connection that is open.
  [[nodiscard]] bool has_open() const noexcept;
  /// By when the last connect to every endpoint that may serve, or may come to, had failed; 0 while
  /// one has not, or when there is none.
  [[nodiscard]] happening all_failed_by() const noexcept;
  /// `exclusive` alone keeps departed endpoints from serving.
  [[nodiscard]] bool is_withholding() const noexcept { return withholding_; }
  /// A definite error when there are no endpoints and waiting does not help.
  [[nodiscard]] const error_code& verdict() const noexcept { return verdict_; }
  [[nodiscard]] bool is_resolved() const noexcept { return resolved_; }

  [[nodiscard]] endpoint_entry* find(std::uint64_t id) const noexcept;
  /// The last happening; a new one.
  [[nodiscard]] happening last_happening() const noexcept { return happenings_; }
  happening happen() noexcept { return ++happenings_; }

  [[nodiscard]] warming_queue& warming() noexcept { return warming_; }
  [[nodiscard]] const warming_queue& warming() const noexcept { return warming_; }
  [[nodiscard]] selector& choice() noexcept { return choice_; }
  [[nodiscard]] const selector& choice() const noexcept { return choice_; }
  /// Those behind the name now, sorted by endpoint.
  [[nodiscard]] const std::vector<endpoint_entry*>& current() const noexcept { return current_; }
  /// Those that have left and still hold a connection or serve.
  [[nodiscard]] const std::vector<endpoint_entry*>& departed() const noexcept { return departed_; }

 private:
  void merge(const std::vector<const snapshot_entry*>& seen, time_point now, table_changes& out);
  [[nodiscard]] endpoint_entry& add(const snapshot_entry& s);
  void set_attributes(endpoint_entry& e, const endpoint& seen);
  void settle_hold();
  void depart(endpoint_entry& e, time_point now, table_changes& out);
  void drain(endpoint_entry& e, table_changes& out);
  void settle_departed(table_changes& out);
  [[nodiscard]] bool is_current_active() const noexcept;

  void strike(endpoint_entry& e, const error_code& why, time_point now, table_changes& out);
  void eject(endpoint_entry& e, const error_code& why, time_point now, table_changes& out);
  void quarantine(endpoint_entry& e, const error_code& why, time_point now, table_changes& out);
  void come_back(endpoint_entry& e, time_point now, table_changes& out);
  void rewarming_failed(endpoint_entry& e,
                        const connect_failure& f,
                        time_point now,
                        table_changes& out);
  void settle_panic(table_changes& out);
  void begin_ramp(endpoint_entry& e, time_point now) noexcept;
  void end_ramp(endpoint_entry& e) noexcept;

  endpoint_rules rules_;
  std::unordered_map<std::uint64_t, std::unique_ptr<endpoint_entry>> entries_;
  std::vector<endpoint_entry*> current_;
  std::vector<endpoint_entry*> departed_;
  warming_queue warming_;
  std::size_t ramping_ = 0;  // read with every choice
  selector choice_;
  fast_random probing_;  // jitter of the way back to a better tier
  std::uint64_t ids_ = 0;
  happening happenings_ = 0;
  std::uint64_t generation_ = 0;
  bool seen_any_ = false;
  bool resolved_ = false;
  bool withholding_ = false;
  error_code verdict_;

  fast_random sentences_;  // jitter of outages, and who is let pass in a slow start
  std::size_t ejected_ = 0;
  bool panic_ = false;
  health_sums sums_;
};

}  // namespace redial::inline REDIAL_ABI::detail
