// SPDX-License-Identifier: Apache-2.0
#pragma once

// The armed timers of one scheduler, the next one first.

#include <redial/ports/scheduler.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// A heap of timers whose places in it are known, so that moving and removing one takes O(log n)
/// without a search. Timers due at one instant come in the order in which they were armed.
///
/// \par Threads None of its own: the scheduler guards it.
/// \par Memory  `arm` allocates only when more timers are armed at once than ever before; `disarm`
///      and `take_due` never do.
class REDIAL_API timer_queue {
 public:
  timer_queue() = default;
  timer_queue(const timer_queue&) = delete;
  timer_queue& operator=(const timer_queue&) = delete;

  /// A timer with its owner held, ready to be fired without the scheduler's lock.
  struct due {
    timer* what = nullptr;
    std::shared_ptr<void> owner;
  };

  /// Moves `t` when it is armed already. Its owner must be known (`timer::owned_by`). When memory
  /// runs out nothing has changed.
  void arm(timer& t, time_point when);
  /// Harmless when `t` is not armed.
  void disarm(timer& t) noexcept;

  /// The instant of the first timer; nothing when none is armed.
  [[nodiscard]] std::optional<time_point> next() const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }

  /// Takes out the first timer that is due at `now` and whose owner still lives. Those of dead
  /// owners are taken out on the way and forgotten. Never drops the last reference to an owner, so
  /// no destructor runs in here.
  [[nodiscard]] std::optional<due> take_due(time_point now) noexcept;

  [[nodiscard]] static bool is_armed(const timer& t) noexcept { return t.place_ != timer::nowhere; }
  /// Calls `t.fired()`. Hold its owner (see `due`), and no lock.
  static void fire(timer& t) { t.fired(); }

 private:
  // Neither the instant nor the place in the heap is in the timer: comparing and moving entries
  // touches no timer, and with thousands of them each would be a cache miss.
  struct entry {
    time_point when;
    std::uint64_t order;  // ties fire in the order of arming
    std::size_t number;   // of the timer while it is armed
  };
  struct armed_timer {
    timer* what;        // null: the number is free
    std::size_t place;  // in the heap; of a free number, the next free one
  };
  // Half as high as with two, and the four lie side by side.
  static constexpr std::size_t children = 4;

  [[nodiscard]] static bool before(const entry& a, const entry& b) noexcept;
  [[nodiscard]] std::size_t take_number(timer& t);
  void put(const entry& e, std::size_t place) noexcept;
  void settle(std::size_t place) noexcept;
  [[nodiscard]] std::size_t rise(std::size_t place) noexcept;
  void sink(std::size_t place) noexcept;

  std::vector<entry> heap_;
  std::vector<armed_timer> timers_;  // by number
  std::size_t free_ = timer::nowhere;
  std::uint64_t armed_ = 0;  // how often anything was armed: breaks ties
};

}  // namespace redial::inline REDIAL_ABI::detail
