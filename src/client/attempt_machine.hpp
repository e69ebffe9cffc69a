// SPDX-License-Identifier: Apache-2.0
#pragma once

// One call, from its first checkout to its completion, as decisions without any I/O.

#include <redial/client/call.hpp>
#include <redial/client/options.hpp>
#include <redial/core/time.hpp>
#include <redial/pool/pool.hpp>

#include "client/failure_class.hpp"
#include "watch/random_source.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// What a call asks of its client when an attempt has failed. Answers at once.
class call_surroundings {
 public:
  /// Spends one retry of the client's budget; false when there is none.
  [[nodiscard]] virtual bool spend_retry(time_point now) = 0;
  /// Spends one second attempt of `hedge_policy::max_percent`; false when there is none.
  [[nodiscard]] virtual bool spend_hedge(time_point now) = 0;
  /// How many endpoints could serve now.
  [[nodiscard]] virtual std::size_t usable_endpoints() = 0;

 protected:
  ~call_surroundings() = default;
};

/// What one call is about.
struct call_terms {
  time_point deadline{};
  bool idempotent = false;
  duration attempt_timeout{};              ///< Zero: automatic.
  duration hedge_after = duration::max();  ///< An attempt runs alone that long; max: to its end.
  time_point client_started{};             ///< For `retry_policy::reset_grace`.
  std::uint64_t seed = 0;                  ///< Of the jitter.
  endpoint_key key;                        ///< For the pool.
};

/// Where an attempt runs.
struct attempt_place {
  endpoint where;
  std::uint64_t endpoint_id = 0;
  bool reused = false;
};

/// How an attempt ended.
struct ended_attempt {
  bool attempt_ended = false;  ///< The others only mean something when it is set.
  bool gave_up = false;        ///< While its operation is running: cancel it, close, let it end.
  bool leased = false;         ///< It holds a lease, which ends as `how` because of `why`.
  lease_end how = lease_end::returned;
  error_code why;
  std::uint32_t number = 0;
  attempt_record record;
};

/// What the driver has to do, in this order. What it inherits is the attempt that the event was
/// about.
struct call_step : ended_attempt {
  enum class move {
    wait,      ///< Nothing; `attempt_machine::wake()` may have changed.
    checkout,  ///< Get a connection for attempt `newest()`: `deadline()`, `avoided()`.
    run,       ///< Start the operation on it.
    finish,    ///< Complete the call with `error`.
  };

  ended_attempt other;  ///< The one beside it, when the call is over.
  bool reset = false;   ///< Reset the whole pool.
  move next = move::wait;
  error_code error;
  duration took{};  ///< `finish`: the whole call.
};

/// idle -> checkout -> running -> finished, and from checkout or running back to checkout, by way
/// of sleeping unless the retry follows at once. Beside a running attempt there may be a second one
/// (`hedge_policy`), in checkout or running; when one of the two fails, the other is all there is.
///
/// Events of an attempt that is over are ignored, so that the driver need not win any race.
class attempt_machine {
 public:
  /// `policy` is referred to until the call is finished.
  attempt_machine(const retry_policy& policy, const call_terms& terms);

  [[nodiscard]] call_step start(time_point now);
  /// Not `run`: the connection is not wanted (any more).
  [[nodiscard]] call_step checked_out(const attempt_place& place, time_point now);
  /// `ruling` as in `attempt_facts`.
  [[nodiscard]] call_step checkout_failed(error_code why,
                                          call_surroundings& around,
                                          time_point now,
                                          std::optional<bool> ruling = {});
  /// The operation has ended by itself.
  [[nodiscard]] call_step operation_done(std::uint32_t attempt,
                                         const attempt_facts& facts,
                                         call_surroundings& around,
                                         time_point now);
  /// The pool takes the connection away.
  [[nodiscard]] call_step lease_cancelled(std::uint32_t attempt,
                                          const attempt_facts& facts,
                                          call_surroundings& around,
                                          time_point now);
  /// The timer armed for `wake()`. `attempt` is what `due()` said, `facts` are that attempt's;
  /// their error is that of `late()`, whatever they say.
  [[nodiscard]] call_step timer_fired(std::uint32_t attempt,
                                      const attempt_facts& facts,
                                      call_surroundings& around,
                                      time_point now);
  /// The caller cancels, or the client closes. `sent`: may the running attempt have sent anything?
  [[nodiscard]] call_step stop(error_code why, bool sent, time_point now);

  /// When `timer_fired` is due; `time_point::max()`: not at all.
  [[nodiscard]] time_point wake() const noexcept;
  /// The attempt whose time is up; 0: none, the timer is for something else.
  [[nodiscard]] std::uint32_t due(time_point now) const noexcept;
  /// When the attempt's time is up.
  [[nodiscard]] time_point ends(std::uint32_t attempt) const noexcept {
    return is_hedging() && attempt == second_.number ? second_.ends : first_.ends;
  }
  /// What an attempt whose time is up has failed with.
  [[nodiscard]] errc late(time_point now) const noexcept {
    return now >= terms_.deadline ? errc::deadline_exceeded : errc::attempt_timeout;
  }
  /// Of the attempt that runs or was the last to; from 1.
  [[nodiscard]] std::uint32_t attempt() const noexcept { return first_.number; }
  /// Of the attempt that was the last to begin.
  [[nodiscard]] std::uint32_t newest() const noexcept {
    return is_hedging() ? second_.number : first_.number;
  }
  [[nodiscard]] bool is_waiting_for_checkout() const noexcept {
    return stage_ == stage::checkout || beside_ == beside::checkout;
  }
  [[nodiscard]] bool is_running() const noexcept { return stage_ == stage::running; }
  [[nodiscard]] bool is_hedging() const noexcept { return beside_ != beside::nothing; }
  [[nodiscard]] bool is_finished() const noexcept { return stage_ == stage::finished; }
  [[nodiscard]] time_point deadline() const noexcept { return terms_.deadline; }
  /// Endpoints that have failed this call.
  [[nodiscard]] const std::vector<tried_endpoint>& tried() const noexcept { return tried_; }
  /// What the checkout that begins is to avoid: these, and where the other attempt runs.
  [[nodiscard]] std::vector<tried_endpoint> avoided() const;
  /// What would be told of an attempt that ends with `f` now.
  [[nodiscard]] attempt_record record_of(std::uint32_t attempt,
                                         const attempt_facts& f,
                                         time_point now) const;
  [[nodiscard]] const call_history& history() const noexcept { return history_; }
  [[nodiscard]] call_history take_history() noexcept { return std::move(history_); }
  /// Attempts begun so far.
  [[nodiscard]] std::uint32_t begun() const noexcept { return begun_; }
  /// Of those, the ones beside another one.
  [[nodiscard]] std::uint32_t hedges() const noexcept { return hedges_; }
  /// Retries that were wanted and not allowed by the budget.
  [[nodiscard]] std::uint32_t denied() const noexcept { return denied_; }
  /// After a success: how long the attempt that began first had run.
  [[nodiscard]] duration latency() const noexcept { return latency_; }

 private:
  enum class stage { idle, checkout, running, sleeping, finished };
  enum class beside { nothing, checkout, running };

  struct lane {
    std::uint32_t number = 0;
    time_point began{};                   // its checkout included
    time_point runs_since{};              // on its connection
    time_point ends = time_point::max();  // at the latest, by its own timeout
    bool granted = false;                 // the budget was asked already for the retry that follows
    attempt_place place;
  };

  [[nodiscard]] bool attempts_left() const noexcept { return begun_ < policy_->max_attempts; }
  [[nodiscard]] bool may_repeat(const attempt_facts& f) const;
  [[nodiscard]] time_point attempt_deadline(time_point now) const;
  [[nodiscard]] bool may_retry(const attempt_facts& f, time_point now) const;
  [[nodiscard]] bool retry_allowed(const lane& l,
                                   const attempt_facts& f,
                                   call_surroundings& around,
                                   time_point now);
  [[nodiscard]] bool wants_reset(const attempt_facts& f,
                                 call_surroundings& around,
                                 time_point now) const;
  [[nodiscard]] bool follows_at_once(const attempt_facts& f) const;
  [[nodiscard]] call_step run_out_of_time(lane& l, const attempt_facts& facts, time_point now);
  [[nodiscard]] call_step fail(lane& l,
                               attempt_facts facts,
                               call_surroundings& around,
                               time_point now);
  void retry(call_step& s, const attempt_facts& f, time_point now);
  void run(lane& l, const attempt_place& place, time_point now);
  void end_attempt(ended_attempt& s, const lane& l, const attempt_facts& f, time_point now);
  void begin_checkout(call_step& s, time_point now);
  void finish(call_step& s, error_code error, time_point now);

  // attempt_machine_hedge.cpp: two attempts at once
  void plan_hedge(time_point now);
  void begin_hedge(call_step& s, call_surroundings& around, time_point now);
  [[nodiscard]] lane* running(std::uint32_t attempt) noexcept;
  [[nodiscard]] bool is_running(const lane& l) const noexcept;
  [[nodiscard]] lane& other_than(const lane& l) noexcept;
  void leave_to_other(const lane& failed);
  void end_other(call_step& s, const lane& l, error_code why, time_point now);

  const retry_policy* policy_;
  call_terms terms_;
  random_source chance_;
  stage stage_ = stage::idle;
  beside beside_ = beside::nothing;
  std::uint32_t begun_ = 0;
  std::uint32_t hedges_ = 0;
  std::uint32_t denied_ = 0;
  lane first_;
  lane second_;  // while there is one beside the first
  time_point sleeps_until_ = time_point::max();
  time_point hedge_at_ = time_point::max();
  duration next_wait_;  // before a retry that does not follow at once, without its jitter
  duration latency_{};
  time_point started_ = time_point::max();  // of the call
  error_code last_error_;
  std::vector<tried_endpoint> tried_;
  call_history history_;
};

}  // namespace redial::inline REDIAL_ABI::detail
