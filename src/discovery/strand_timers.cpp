// SPDX-License-Identifier: Apache-2.0
#include "discovery/strand_timers.hpp"

#include <boost/asio/post.hpp>

#include <cstddef>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {

namespace asio = boost::asio;

strand_timers::~strand_timers() { time_->disarm(tick_); }

void strand_timers::arm(timer& t, time_point when) {
  const std::lock_guard lock(mutex_);
  queue_.arm(t, when);
  if (!running_) arm_tick();
}

void strand_timers::disarm(timer& t) noexcept {
  const std::lock_guard lock(mutex_);
  queue_.disarm(t);
  // Nothing left: a tick for nobody would keep an executor running.
  if (queue_.size() != 0 || running_ || tick_at_ == time_point::max()) return;
  tick_at_ = time_point::max();
  time_->disarm(tick_);
}

void strand_timers::context_gone() noexcept {
  const std::lock_guard lock(mutex_);
  strand_ = {};
  tick_at_ = time_point::max();
  time_->disarm(tick_);
}

// An early tick finds nothing due and arms the right one, so a later first timer changes nothing.
void strand_timers::arm_tick() noexcept {
  const auto next = queue_.next();
  if (!strand_ || !next || *next >= tick_at_) return;
  // Once: from then on the scheduler may be looking.
  if (!std::exchange(owned_, true)) tick_.owned_by(weak_from_this());
  try {
    time_->arm(tick_, *next);
    tick_at_ = *next;
  } catch (...) {
    // No memory: the next `arm` tries again.
  }
}

void strand_timers::on_tick() {
  const std::lock_guard lock(mutex_);
  if (!strand_ || time_->is_stopped()) return;
  try {
    asio::post(strand_, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->run_due();
    });
  } catch (...) {
    tick_at_ = time_point::max();  // No memory: the next `arm` tries again.
  }
}

void strand_timers::run_due() {
  struct turn {
    strand_timers& timers;
    // Also when somebody throws: the others are due at once.
    ~turn() {
      const std::lock_guard lock(timers.mutex_);
      timers.running_ = false;
      timers.arm_tick();
    }
  };
  // Bounded, so that a timer which is due again at once keeps nobody else from the strand.
  std::size_t left = 0;
  {
    const std::lock_guard lock(mutex_);
    tick_at_ = time_point::max();
    running_ = true;
    left = queue_.size();
  }
  const turn ending{*this};
  if (before_turn) before_turn();
  const time_point now = time_->now();
  for (; left > 0; --left) {
    std::optional<timer_queue::due> next;
    {
      const std::lock_guard lock(mutex_);
      next = queue_.take_due(now);
    }
    if (!next) return;
    timer_queue::fire(*next->what);
  }
}

}  // namespace redial::inline REDIAL_ABI::detail
