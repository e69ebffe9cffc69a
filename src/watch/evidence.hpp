// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which members one record set (owner, type) has, judged by what its answers showed so far.

#include <redial/core/address.hpp>
#include <redial/core/endpoint.hpp>
#include <redial/core/time.hpp>
#include <redial/watch/options.hpp>
#include <redial/watch/snapshot.hpp>

#include "watch/rotation.hpp"
#include "watch/service.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

template <class Key>
struct basic_member {
  Key where;
  redial::presence presence = redial::presence::present;
  bool doubted = false;
  std::uint32_t misses = 0;  // independent answers without it, while absent
  std::uint32_t shown = 0;   // records in the shortest of these
  std::uint64_t seen = 0;    // answers with it
  time_point first_seen{};
  time_point last_seen{};
  time_point missing_since{};  // while absent
};

/// Independent answers that must miss a member before it departs: for `shown` records per answer
/// and `known` members.
[[nodiscard]] std::uint32_t misses_needed(std::size_t shown, std::size_t known) noexcept;

/// Presence by evidence, for one record set.
///
/// `Key` is an address, a `service`, or an `endpoint`: ordered, and compared without its
/// attributes; those of a member are what the last answer with it said.
///
/// Invariants: members are sorted and unique; only a rotating set has absent ones (or had them
/// until the next independent answer).
template <class Key>
class basic_evidence {
 public:
  using member = basic_member<Key>;

  /// `options` must outlive the object.
  explicit basic_evidence(const watch_options& options) noexcept
      : options_(options), rotation_(options) {}

  struct result {
    bool independent = true;     ///< False: the same cached copy again.
    std::uint32_t left_out = 0;  ///< Records without room.
  };
  /// A good answer. `records` are sorted and unique, not empty. At most `room` members are kept.
  result on_records(const std::vector<Key>& records,
                    std::chrono::seconds ttl,
                    time_point now,
                    std::size_t room);
  /// Time passed: absent ones become doubted, or depart when there is evidence enough.
  void on_time(time_point now);
  /// The name has said for a while that it has no members: none is trusted until an answer shows it
  /// again.
  void doubt_all() noexcept { all_doubted_ = true; }
  /// A connection to `where` failed in a way that speaks against it. Departs an absent one.
  void on_failure_at(const Key& where);
  /// All depart: the negative answer is believed.
  void drop_all() noexcept;

  [[nodiscard]] const std::vector<member>& members() const noexcept { return members_; }
  [[nodiscard]] const rotation& rotates() const noexcept { return rotation_; }
  [[nodiscard]] bool rotating() const noexcept { return rotation_.rotating(); }
  [[nodiscard]] bool all_doubted() const noexcept { return all_doubted_; }
  /// When `on_time` has something to do; `time_point::max()`: not before another event.
  [[nodiscard]] time_point next_time() const noexcept;
  /// Misses that `m`, absent, needs to depart. The shortest answer decides: a long one among short
  /// ones must not make the misses in the short ones count for more.
  [[nodiscard]] std::uint32_t needed(const member& m) const noexcept {
    return misses_needed(m.shown, members_.size());
  }

 private:
  struct copy {
    std::vector<Key> records;
    time_point expires{};
  };

  [[nodiscard]] static bool is_copy(const copy& c,
                                    const std::vector<Key>& records,
                                    time_point expires) noexcept;
  /// True when it was not among the copies that caches still hold.
  bool remember(const std::vector<Key>& records, time_point expires, time_point now);
  [[nodiscard]] bool returns_in(const std::vector<Key>& records, time_point now) const noexcept;
  void see_known(const std::vector<Key>& records, time_point now);
  void miss_others(const std::vector<Key>& records, time_point now);
  std::uint32_t add_new(const std::vector<Key>& records, time_point now, std::size_t room);

  const watch_options& options_;
  rotation rotation_;
  std::vector<member> members_;
  std::vector<copy> copies_;  // the last answer is the last; others only while the set rotates
  departures<Key> departed_;
  bool all_doubted_ = false;
};

using evidence = basic_evidence<address>;
using member = basic_member<address>;

extern template class basic_evidence<address>;
extern template class basic_evidence<service>;
extern template class basic_evidence<endpoint>;

}  // namespace redial::inline REDIAL_ABI::detail
