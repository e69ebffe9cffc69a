// SPDX-License-Identifier: Apache-2.0
#include <redial/testing/livelock.hpp>
#include <redial/testing/sim_scheduler.hpp>

#include "ports/timer_queue.hpp"

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>

namespace redial::inline REDIAL_ABI::testing {
struct sim_scheduler::state {
  // A function that waits for its instant. The list of calls owns it until then.
  class call {
   public:
    call(state& s, std::function<void()> what) : state_(s), what_(std::move(what)) {}
    void on_timer() {
      state_.forget(*this);
      std::exchange(what_, nullptr)();
    }
    member_timer<call, &call::on_timer> timer{*this};

   private:
    state& state_;
    std::function<void()> what_;
  };

  explicit state(boost::asio::io_context* io, const sim_limits& l) : context(io), limits(l) {}

  // Says that time is being moved, for as long as one call of a test does so.
  class turn {
   public:
    explicit turn(state& s) : state_(s) {
      if (s.stopped) throw std::logic_error("simulation: time cannot be moved after stop()");
      if (s.moving.exchange(true)) {
        throw std::logic_error("simulation: time was moved from inside a handler or a timer");
      }
      s.steps = 0;
      s.fired = 0;
    }
    ~turn() { state_.moving = false; }
    turn(const turn&) = delete;
    turn& operator=(const turn&) = delete;

   private:
    state& state_;
  };

  void forget(call& c) {
    const std::lock_guard lock(mutex);
    calls.erase(&c);  // not the last reference: whoever fires it holds one
  }

  void count_step() {
    if (++steps > limits.steps_per_instant) {
      throw livelock("simulation: more than " + std::to_string(limits.steps_per_instant) +
                     " handlers and timers ran at one instant");
    }
  }

  void poll() {
    if (context == nullptr) return;
    if (context->stopped()) context->restart();
    while (context->poll_one() != 0) count_step();
  }

  void move_to(time_point when) {
    const std::lock_guard lock(mutex);
    if (when <= now.load()) return;
    now = when;
    steps = 0;
  }

  std::optional<time_point> next() {
    const std::lock_guard lock(mutex);
    return queue.next();
  }

  // Fires one timer that is due now. False when there is none.
  bool fire_one() {
    std::optional<detail::timer_queue::due> due;
    {
      const std::lock_guard lock(mutex);
      due = queue.take_due(now);
    }
    if (!due) return false;
    count_step();
    if (++fired > limits.timers_per_call) {
      throw livelock("simulation: more than " + std::to_string(limits.timers_per_call) +
                     " timers fired within one call");
    }
    detail::timer_queue::fire(*due->what);
    return true;
  }

  void settle() {
    do {
      poll();
    } while (fire_one());
  }

  // Goes through timers up to `end`; false when `done` stopped it.
  template <class Done>
  bool run_to(time_point end, const Done& done) {
    settle();
    for (;;) {
      if (done()) return false;
      const auto when = next();
      if (!when || *when > end) return true;
      move_to(*when);
      if (fire_one()) poll();
    }
  }

  boost::asio::io_context* context;
  const sim_limits limits;
  mutable std::mutex mutex;  // guards the queue and the calls
  detail::timer_queue queue;
  std::unordered_map<call*, std::shared_ptr<call>> calls;
  std::atomic<time_point> now{start};
  std::atomic<bool> stopped{false};
  std::atomic<bool> moving{false};
  std::uint64_t steps = 0;
  std::uint64_t fired = 0;
};

sim_scheduler::sim_scheduler(const sim_limits& limits)
    : state_(std::make_unique<state>(nullptr, limits)) {}

sim_scheduler::sim_scheduler(boost::asio::io_context& context, const sim_limits& limits)
    : state_(std::make_unique<state>(&context, limits)) {}

sim_scheduler::~sim_scheduler() { stop(); }

time_point sim_scheduler::now() const noexcept { return state_->now; }

void sim_scheduler::arm(timer& t, time_point when) {
  const std::lock_guard lock(state_->mutex);
  state_->queue.arm(t, when);
}

void sim_scheduler::disarm(timer& t) noexcept {
  const std::lock_guard lock(state_->mutex);
  state_->queue.disarm(t);
}

bool sim_scheduler::is_stopped() const noexcept { return state_->stopped; }

void sim_scheduler::call_at(time_point when, std::function<void()> what) {
  auto call = std::make_shared<state::call>(*state_, std::move(what));
  call->timer.owned_by(call);
  const std::lock_guard lock(state_->mutex);
  if (state_->stopped) return;
  state_->queue.arm(call->timer, when);
  state_->calls.emplace(call.get(), call);
}

void sim_scheduler::settle() {
  const state::turn turn(*state_);
  state_->settle();
}

void sim_scheduler::advance(duration step) { advance_to(after(now(), clamped(step))); }

void sim_scheduler::advance_to(time_point end) {
  const state::turn turn(*state_);
  (void)state_->run_to(end, [] { return false; });
  state_->move_to(end);
}

bool sim_scheduler::run_until(const std::function<bool()>& done, duration at_most) {
  const state::turn turn(*state_);
  const time_point end = after(now(), clamped(at_most));
  if (!state_->run_to(end, done)) return true;
  state_->move_to(end);
  return false;
}

bool sim_scheduler::run_until_idle(duration at_most) {
  const state::turn turn(*state_);
  const time_point end = after(now(), clamped(at_most));
  (void)state_->run_to(end, [] { return false; });
  return !state_->next().has_value();
}

std::size_t sim_scheduler::armed_timers() const {
  const std::lock_guard lock(state_->mutex);
  return state_->queue.size();
}

void sim_scheduler::stop() {
  decltype(state_->calls) dropped;  // destroyed without the lock: they may disarm timers
  const std::lock_guard lock(state_->mutex);
  state_->stopped = true;
  dropped.swap(state_->calls);
  for (auto& [raw, call] : dropped) state_->queue.disarm(call->timer);
}

}  // namespace redial::inline REDIAL_ABI::testing
