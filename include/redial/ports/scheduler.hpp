// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where the library learns the time and asks to be woken.

#include <redial/core/abi.hpp>
#include <redial/core/time.hpp>

#include <cstddef>
#include <memory>

namespace redial::inline REDIAL_ABI {

namespace detail {
class timer_queue;
}

/// One deadline, a member of whoever waits. Arming and disarming allocate nothing.
///
/// `fired()` is called once per `arm`, never from inside `arm`, on a thread of the scheduler. A
/// call that has already begun when `disarm` is called still arrives: the owner compares its own
/// deadline, under its own lock, before it acts.
class REDIAL_API timer {
 public:
  timer() = default;
  timer(const timer&) = delete;
  timer& operator=(const timer&) = delete;

  /// Whom the scheduler keeps alive while it calls `fired()`. Must be set before the first `arm`;
  /// an owner that is gone is not called. The owner disarms its timers in its destructor.
  void owned_by(std::weak_ptr<void> owner) noexcept { owner_ = std::move(owner); }

 protected:
  ~timer() = default;

 private:
  virtual void fired() = 0;

  friend class detail::timer_queue;
  static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

  std::weak_ptr<void> owner_;
  std::size_t place_ = nowhere;  // its number in the queue
};

/// Calls a member function of its owner: `member_timer<pool, &pool::on_tick> tick_{*this};`
template <class Owner, void (Owner::*Fired)()>
class member_timer final : public timer {
 public:
  /// A timer that is a member of `owner`.
  explicit member_timer(Owner& owner) noexcept : target_(owner) {}

 private:
  void fired() override { (target_.*Fired)(); }
  Owner& target_;
};

/// The time and the timers of one executor (or of a simulation).
///
/// Implemented by redial alone (`scheduler_of`, `testing::sim_scheduler`): nobody else can fire a
/// timer. One of your own, that counts or shifts the time, holds one of these and passes `arm` and
/// `disarm` on to it with the same timer.
///
/// \par Threads Every member is safe from any thread.
class REDIAL_API scheduler {
 public:
  virtual ~scheduler() = default;

  /// The time; never goes back.
  [[nodiscard]] virtual time_point now() const noexcept = 0;
  /// Fires `t` at `when` or up to one grid step (10 ms) later; an instant already past fires at the
  /// next turn. An armed timer is moved.
  virtual void arm(timer& t, time_point when) = 0;
  /// Harmless when `t` is not armed or has fired.
  virtual void disarm(timer& t) noexcept = 0;
  /// True once the executor behind it is being destroyed: nothing may be posted any more.
  [[nodiscard]] virtual bool is_stopped() const noexcept { return false; }
};

}  // namespace redial::inline REDIAL_ABI
