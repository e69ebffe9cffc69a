// SPDX-License-Identifier: Apache-2.0
#pragma once

// Time that moves only when a test says so.

#include <redial/core/abi.hpp>
#include <redial/ports/scheduler.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace boost::asio {
class io_context;
}

namespace redial::inline REDIAL_ABI::testing {

/// When a simulation counts as running in circles. Reaching a limit throws `livelock`.
struct sim_limits {
  sim_limits() = default;
  /// Handlers and timers run at one instant, without time moving on.
  std::uint64_t steps_per_instant = 100'000;
  /// Timers fired within one call that moves time.
  std::uint64_t timers_per_call = 10'000'000;
};

/// A scheduler whose clock a test moves. Timers fire exactly at their instant, in its order; those
/// of one instant in the order of arming.
///
/// With an `io_context`, everything ready in it runs before time moves and after every fired timer,
/// so that each handler sees the instant it belongs to and every run has the same order.
///
/// \par Threads The `scheduler` part is safe from any thread. Time is moved by one thread at a
/// time,
///      never from inside a handler or timer (`std::logic_error`); exceptions that a handler or
///      timer throws come out of the call that moved time.
/// \par Lifetime The context must live until `stop()` or the last call that moves time.
class REDIAL_API sim_scheduler final : public scheduler {
 public:
  /// The first instant of every simulation: not zero, so that a forgotten time point shows.
  static constexpr time_point start = time_point{} + std::chrono::hours{1};

  /// Time alone: there are no handlers to run.
  explicit sim_scheduler(const sim_limits& limits = {});
  /// Runs the handlers of `context` as time moves.
  explicit sim_scheduler(boost::asio::io_context& context, const sim_limits& limits = {});
  ~sim_scheduler() override;

  [[nodiscard]] time_point now() const noexcept override;
  void arm(timer& t, time_point when) override;
  void disarm(timer& t) noexcept override;
  [[nodiscard]] bool is_stopped() const noexcept override;

  /// Calls `what` at `when`, or at the next turn when that is past.
  void call_at(time_point when, std::function<void()> what);

  /// Runs everything that can run at this instant.
  void settle();
  /// Moves time forward by `step`, through every timer on the way. Negative: as zero.
  void advance(duration step);
  /// The same up to an instant. One that is past: only `settle()`.
  void advance_to(time_point end);
  /// Moves from timer to timer until `done` is true; looks before the first, and after each. False
  /// when `at_most` has passed first (time then stands at its end).
  bool run_until(const std::function<bool()>& done, duration at_most);
  /// Moves from timer to timer until none is armed. False when some still are after `at_most`.
  bool run_until_idle(duration at_most = std::chrono::hours{24});

  /// How many timers are armed.
  [[nodiscard]] std::size_t armed_timers() const;
  /// What a scheduler says while its executor is being destroyed. Time cannot be moved afterwards.
  void stop();

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace redial::inline REDIAL_ABI::testing
