// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which addresses one record set (owner, type) has, judged by what its answers showed so far.

#include <redial/core/address.hpp>
#include <redial/core/events.hpp>
#include <redial/core/time.hpp>
#include <redial/watch/options.hpp>
#include <redial/watch/snapshot.hpp>

#include "watch/rotation.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace redial::detail {

struct member {
  address where;
  redial::presence presence = redial::presence::present;
  bool doubted = false;
  std::uint64_t life = 0;
  time_point missing_since{};  // while absent
  std::uint32_t misses = 0;    // independent answers without it, while absent
};

struct member_change {
  address where;
  endpoint_change change{};

  friend bool operator==(const member_change&, const member_change&) = default;
};

using member_changes = std::vector<member_change>;

/// Presence by evidence, for one record set.
///
/// Invariants: members are sorted by address and unique; only a rotating set has absent ones (or
/// had them until the next independent answer).
class evidence {
 public:
  /// `options` must outlive the object.
  explicit evidence(const watch_options& options) noexcept
      : options_(options), rotation_(options) {}

  /// A good answer. `records` are sorted and unique, not empty. At most `room` members are kept;
  /// returns how many records were left out for that.
  std::uint32_t on_records(const std::vector<address>& records,
                           std::chrono::seconds ttl,
                           time_point now,
                           std::size_t room,
                           member_changes& changes);
  /// Time passed: absent ones become doubted, or depart when there is evidence enough.
  void on_time(time_point now, member_changes& changes);
  /// The name has said for a while that it has no addresses: no member is trusted until an answer
  /// shows it again.
  void doubt_all(member_changes& changes);
  /// A connection to `where` failed in a way that speaks against the address. Departs an absent
  /// one.
  void on_failure_at(const address& where, member_changes& changes);
  /// All depart: the negative answer is believed.
  void drop_all(member_changes& changes);

  [[nodiscard]] const std::vector<member>& members() const noexcept { return members_; }
  [[nodiscard]] bool rotating() const noexcept { return rotation_.rotating(); }
  [[nodiscard]] bool all_doubted() const noexcept { return all_doubted_; }
  /// When `on_time` has something to do; `time_point::max()`: not before another event.
  [[nodiscard]] time_point next_time() const noexcept;
  /// Independent answers that must miss an address before it departs: for `shown` records per
  /// answer and `known` addresses.
  [[nodiscard]] static std::uint32_t misses_needed(std::size_t shown, std::size_t known) noexcept;

 private:
  struct copy {
    std::vector<address> records;
    time_point expires{};
  };

  [[nodiscard]] bool is_same_copy(const copy& received) const noexcept;
  [[nodiscard]] bool returns_in(const std::vector<address>& records, time_point now) const noexcept;
  void see_known(const std::vector<address>& records, member_changes& changes);
  void miss_others(const std::vector<address>& records, time_point now, member_changes& changes);
  std::uint32_t add_new(const std::vector<address>& records,
                        std::size_t room,
                        member_changes& changes);

  const watch_options& options_;
  rotation rotation_;
  std::vector<member> members_;
  copy previous_;  // the last answer; without records: there was none
  departures departed_;
  std::uint64_t lives_ = 0;
  bool all_doubted_ = false;
};

}  // namespace redial::detail
