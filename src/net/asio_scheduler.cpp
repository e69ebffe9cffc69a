// SPDX-License-Identifier: Apache-2.0
#include "net/asio_scheduler.hpp"

#include <redial/net/asio_scheduler.hpp>

#include "net/executors.hpp"

#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/query.hpp>

#include <chrono>
#include <mutex>
#include <utility>

namespace redial::inline REDIAL_ABI {

namespace asio = boost::asio;

namespace detail {
namespace {

constexpr duration grid_step = std::chrono::milliseconds{10};

/// The grid point at or after `when`: timers of one step share a wake.
time_point on_grid(time_point when) noexcept {
  if (when > time_point::max() - grid_step) return time_point::max();
  if (when < time_point{}) return time_point{};
  const duration past_step = when.time_since_epoch() % grid_step;
  return past_step == duration::zero() ? when : when + (grid_step - past_step);
}

/// Finds the scheduler of a context and stops it when the context is destroyed.
class scheduler_service final : public asio::execution_context::service {
 public:
  using key_type = scheduler_service;
  static inline asio::execution_context::id id;

  explicit scheduler_service(asio::execution_context& context) : service(context) {}

  std::shared_ptr<asio_scheduler> get(const asio::any_io_executor& executor) {
    const std::lock_guard lock(mutex_);
    if (!scheduler_) scheduler_ = std::make_shared<asio_scheduler>(without_strand(executor));
    return scheduler_;
  }

 private:
  void shutdown() noexcept override {
    if (scheduler_) scheduler_->stop();
  }

  std::mutex mutex_;
  std::shared_ptr<asio_scheduler> scheduler_;
};

}  // namespace

void asio_scheduler::arm(timer& t, time_point when) {
  const std::lock_guard lock(mutex_);
  if (is_stopped()) return;
  queue_.arm(t, when);
  ensure_wake();
}

void asio_scheduler::disarm(timer& t) noexcept {
  const std::lock_guard lock(mutex_);
  const bool was_armed = timer_queue::is_armed(t);
  queue_.disarm(t);
  if (was_armed && queue_.size() == 0) shorten_wake();
}

std::uint64_t asio_scheduler::waits() const noexcept {
  const std::lock_guard lock(mutex_);
  return wait_;
}

/// Called with the lock held, like all below except `woken`, `fire_due` and `stop`.
void asio_scheduler::ensure_wake() {
  const auto next = queue_.next();
  if (!next) return;
  const time_point when = on_grid(*next);
  if (!wake_ || when < *wake_) wake_at(when);
}

void asio_scheduler::wake_at(time_point when) {
  if (!wake_timer_) return;
  wake_.reset();
  wake_timer_->expires_at(when);
  const std::uint64_t number = ++wait_;
  wake_timer_->async_wait([weak = weak_from_this(), number](const boost::system::error_code&) {
    if (const auto self = weak.lock()) self->woken(number);
  });
  wake_ = when;
}

/// Nothing is armed any more, but the wait still keeps the context running. Cancelling it would
/// make a lone deadline that is armed and disarmed for every operation pay a system call each time.
/// So the wait is only brought near: the next operation finds it early enough and leaves it alone.
void asio_scheduler::shorten_wake() noexcept {
  if (!wake_) return;
  try {
    const time_point soon = now() + grid_step;
    if (*wake_ > soon + grid_step) wake_at(soon);
  } catch (...) {
    // No memory: the old wait was cancelled or goes on; either way nothing is lost.
  }
}

void asio_scheduler::woken(std::uint64_t wait) {
  {
    const std::lock_guard lock(mutex_);
    if (wait != wait_ || is_stopped()) return;
    wake_.reset();
  }
  fire_due();
}

void asio_scheduler::fire_due() {
  struct rearm {
    asio_scheduler& s;
    // Also when a timer's owner throws: the others must not be forgotten.
    ~rearm() {
      const std::lock_guard lock(s.mutex_);
      try {
        s.ensure_wake();
      } catch (...) {
        // No memory: the next `arm` tries again.
      }
    }
  } const last{*this};

  const time_point instant = now();
  std::unique_lock lock(mutex_);
  // Timers that are armed meanwhile, also with an instant already past, wait for the next turn.
  for (std::size_t left = queue_.size(); left > 0; --left) {
    auto due = queue_.take_due(instant);
    if (!due) break;
    lock.unlock();
    timer_queue::fire(*due->what);
    due.reset();  // perhaps the last owner, whose destructor disarms
    lock.lock();
  }
}

void asio_scheduler::stop() noexcept {
  std::optional<asio::steady_timer> timer;
  {
    const std::lock_guard lock(mutex_);
    stopped_.store(true, std::memory_order_release);
    timer.swap(wake_timer_);
    wake_.reset();
  }
  timer.reset();
  while (context_bound* const b = take_bound()) b->context_gone();
}

bool asio_scheduler::attach(context_bound& b) noexcept {
  const std::lock_guard lock(mutex_);
  if (is_stopped()) return false;
  b.after_ = bound_;
  if (bound_ != nullptr) bound_->before_ = &b;
  bound_ = &b;
  b.listed_ = true;
  return true;
}

void asio_scheduler::detach(context_bound& b) noexcept {
  const std::lock_guard lock(mutex_);
  if (!b.listed_) return;
  if (b.before_ != nullptr) b.before_->after_ = b.after_;
  if (b.after_ != nullptr) b.after_->before_ = b.before_;
  if (bound_ == &b) bound_ = b.after_;
  b.before_ = b.after_ = nullptr;
  b.listed_ = false;
}

context_bound* asio_scheduler::take_bound() noexcept {
  const std::lock_guard lock(mutex_);
  context_bound* const first = bound_;
  if (first == nullptr) return nullptr;
  bound_ = first->after_;
  if (bound_ != nullptr) bound_->before_ = nullptr;
  first->after_ = nullptr;
  first->listed_ = false;
  return first;
}

std::shared_ptr<asio_scheduler> asio_scheduler_of(const asio::any_io_executor& executor) {
  auto& context = asio::query(executor, asio::execution::context);
  if (!asio::has_service<scheduler_service>(context)) {
    // Services are shut down in the reverse order of their creation, and ours needs Asio's timers
    // until the end.
    const asio::steady_timer first(executor);
  }
  return asio::use_service<scheduler_service>(context).get(executor);
}

}  // namespace detail

std::shared_ptr<scheduler> scheduler_of(const asio::any_io_executor& executor) {
  return detail::asio_scheduler_of(executor);
}

}  // namespace redial::inline REDIAL_ABI
