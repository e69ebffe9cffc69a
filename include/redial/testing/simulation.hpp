// SPDX-License-Identifier: Apache-2.0
#pragma once

// A world for a test: one executor, one clock, one source of chance.

#include <redial/core/abi.hpp>
#include <redial/testing/sim_scheduler.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <random>
#include <string>

namespace boost::asio {
class io_context;
}

namespace redial::inline REDIAL_ABI::testing {

/// What a test left behind. All zero after a clean shutdown.
struct leftovers {
  leftovers() = default;
  std::size_t armed_timers = 0;  ///< Timers that would still fire.
  /// The executor still counts work: an operation that has not completed, or a work guard.
  bool pending_work = false;

  /// True after a clean shutdown.
  [[nodiscard]] bool none() const noexcept { return armed_timers == 0 && !pending_work; }
  friend bool operator==(const leftovers&, const leftovers&) = default;
};

/// What there is, in one line.
[[nodiscard]] REDIAL_API std::string to_string(const leftovers& l);
/// As `to_string`; for GoogleTest.
REDIAL_API std::ostream& operator<<(std::ostream& out, const leftovers& l);

/// An `io_context` and a `sim_scheduler` that belong together. The same seed gives the same run.
///
/// \code
///   simulation sim;
///   auto p = make_pool(sim.executor(), sim.time());
///   sim.advance(70s);                        // microseconds of real time
///   p->close();
///   EXPECT_TRUE(sim.left_over().none());
/// \endcode
///
/// \par Threads Used by one thread, which is the one that runs all handlers.
/// \par Lifetime The destructor destroys the context, and with it handlers that never ran, without
///      calling them.
class REDIAL_API simulation {
 public:
  /// `seed` is that of `rng()`.
  explicit simulation(std::uint64_t seed = 1, const sim_limits& limits = {});
  ~simulation();
  simulation(const simulation&) = delete;
  simulation& operator=(const simulation&) = delete;

  /// What everything runs on.
  [[nodiscard]] boost::asio::io_context& context() noexcept { return *context_; }
  /// Of the context.
  [[nodiscard]] boost::asio::any_io_executor executor() const;
  /// The clock, and the timers.
  [[nodiscard]] const std::shared_ptr<sim_scheduler>& time() const noexcept { return time_; }

  /// The simulation's time.
  [[nodiscard]] time_point now() const noexcept { return time_->now(); }
  /// Since the simulation began.
  [[nodiscard]] duration elapsed() const noexcept { return now() - sim_scheduler::start; }

  /// See `sim_scheduler` for these.
  void settle() { time_->settle(); }
  /// Moves time forward.
  void advance(duration step) { time_->advance(step); }
  /// Moves time until `done` is true; false when `at_most` has passed first.
  bool run_until(const std::function<bool()>& done, duration at_most = std::chrono::hours{1}) {
    return time_->run_until(done, at_most);
  }
  /// Calls `what` in `delay` from now.
  void after(duration delay, std::function<void()> what);

  /// The one source of chance.
  [[nodiscard]] std::mt19937_64& rng() noexcept { return rng_; }

  /// Settles, then says what is still pending.
  [[nodiscard]] leftovers left_over();

 private:
  std::shared_ptr<sim_scheduler> time_;
  std::unique_ptr<boost::asio::io_context> context_;
  std::mt19937_64 rng_;
};

}  // namespace redial::inline REDIAL_ABI::testing
