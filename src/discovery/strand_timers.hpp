// SPDX-License-Identifier: Apache-2.0
#pragma once

// The timers of everything watched by one discovery, behind a single timer of the scheduler.

#include <redial/core/time.hpp>
#include <redial/ports/scheduler.hpp>

#include "ports/timer_queue.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>
#include <mutex>

namespace redial::inline REDIAL_ABI::detail {

/// Fires timers on a strand. With thousands of names many are due in one step of the scheduler's
/// grid: here they cost one post, not one each.
///
/// \par Threads `arm` on the strand; the rest anywhere. No lock is held while a timer fires.
/// \par Lifetime Owned by a shared_ptr. Timers are disarmed before they go.
class strand_timers : public std::enable_shared_from_this<strand_timers> {
 public:
  strand_timers(boost::asio::any_io_executor strand, std::shared_ptr<scheduler> time)
      : strand_(std::move(strand)), time_(std::move(time)) {}
  ~strand_timers();
  strand_timers(const strand_timers&) = delete;
  strand_timers& operator=(const strand_timers&) = delete;

  /// Called on the strand before timers fire, once for all that are due together. To be set before
  /// the first `arm`.
  std::function<void()> before_turn;

  void arm(timer& t, time_point when);
  void disarm(timer& t) noexcept;
  /// The strand's context is gone: nothing fires any more.
  void context_gone() noexcept;

 private:
  void on_tick();  // any thread
  void run_due();
  void arm_tick() noexcept;  // with the lock held

  std::mutex mutex_;
  boost::asio::any_io_executor strand_;  // empty once its context is gone
  const std::shared_ptr<scheduler> time_;
  timer_queue queue_;
  time_point tick_at_ = time_point::max();
  bool running_ = false;
  bool owned_ = false;  // `tick_` knows its owner
  member_timer<strand_timers, &strand_timers::on_tick> tick_{*this};
};

}  // namespace redial::inline REDIAL_ABI::detail
