// SPDX-License-Identifier: Apache-2.0
#pragma once

// One timer queue per execution context, and who must be told when that context goes away.

#include <redial/ports/scheduler.hpp>

#include "core/short_mutex.hpp"
#include "ports/timer_queue.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

namespace redial::inline REDIAL_ABI::detail {

/// Something that holds Asio objects and may outlive their context. Asio does not survive that, so
/// it is asked to let go of them while the context still can.
class context_bound {
 public:
  context_bound() = default;
  context_bound(const context_bound&) = delete;
  context_bound& operator=(const context_bound&) = delete;

 protected:
  ~context_bound() = default;

 private:
  /// Called from the context's destructor: destroy every Asio object, post nothing.
  virtual void context_gone() noexcept = 0;

  friend class asio_scheduler;
  context_bound* before_ = nullptr;
  context_bound* after_ = nullptr;
  bool listed_ = false;
};

/// \par Threads Safe from any thread; `stop` belongs to the destructor of the context.
class asio_scheduler final : public scheduler, public std::enable_shared_from_this<asio_scheduler> {
 public:
  explicit asio_scheduler(const boost::asio::any_io_executor& executor) : wake_timer_(executor) {}

  [[nodiscard]] time_point now() const noexcept override { return clock::now(); }
  void arm(timer& t, time_point when) override;
  void disarm(timer& t) noexcept override;
  [[nodiscard]] bool is_stopped() const noexcept override {
    return stopped_.load(std::memory_order_acquire);
  }

  /// The context goes away. Only afterwards may this object outlive it.
  void stop() noexcept;

  /// False when the context is gone already.
  [[nodiscard]] bool attach(context_bound& b) noexcept;
  void detach(context_bound& b) noexcept;

  /// How often Asio was asked to wait. Each one may cost a system call.
  [[nodiscard]] std::uint64_t waits() const noexcept;

 private:
  void woken(std::uint64_t wait);
  void fire_due();
  void ensure_wake();
  void wake_at(time_point when);
  void shorten_wake() noexcept;
  context_bound* take_bound() noexcept;

  mutable short_mutex mutex_;
  std::atomic<bool> stopped_{false};
  timer_queue queue_;
  // Empty once stopped: it must not outlive the context.
  std::optional<boost::asio::steady_timer> wake_timer_;
  // The instant of the outstanding wait. A wait that was overtaken may still complete with success,
  // so each has a number and only the last one counts.
  std::optional<time_point> wake_;
  std::uint64_t wait_ = 0;
  context_bound* bound_ = nullptr;
};

/// The same as `scheduler_of`, as what it is.
[[nodiscard]] std::shared_ptr<asio_scheduler> asio_scheduler_of(
    const boost::asio::any_io_executor& executor);

}  // namespace redial::inline REDIAL_ABI::detail
