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
#include <vector>

namespace redial::detail {

/// What a call asks of its client when an attempt has failed. Answers at once.
class call_surroundings {
 public:
  /// Spends one retry of the client's budget; false when there is none.
  [[nodiscard]] virtual bool spend_retry(time_point now) = 0;
  /// How many endpoints could serve now.
  [[nodiscard]] virtual std::size_t usable_endpoints() = 0;

 protected:
  ~call_surroundings() = default;
};

/// What one call is about.
struct call_terms {
  time_point deadline{};
  bool idempotent = false;
  duration attempt_timeout{};   ///< Zero: automatic.
  time_point client_started{};  ///< For `retry_policy::reset_grace`.
  std::uint64_t seed = 0;       ///< Of the jitter.
  endpoint_key key;             ///< For the pool.
};

/// Where an attempt runs.
struct attempt_place {
  endpoint where;
  std::uint64_t endpoint_id = 0;
  bool reused = false;
};

/// What the driver has to do, in this order.
struct call_step {
  enum class move {
    wait,      ///< Nothing; `attempt_machine::wake()` may have changed.
    checkout,  ///< Get a connection: `deadline()`, `tried()`.
    run,       ///< Start the operation on it.
    finish,    ///< Complete the call with `error`.
  };

  bool attempt_ended = false;  ///< The current attempt is over; `number` and `record` tell of it.
  bool gave_up = false;  ///< ... while its operation is running: cancel it, close, let it end.
  bool leased = false;   ///< ... and holds a lease, which ends as `how` because of `why`.
  lease_end how = lease_end::returned;
  error_code why;
  std::uint32_t number = 0;  ///< Of the attempt that ended.
  attempt_record record;
  bool reset = false;  ///< Reset the whole pool.
  move next = move::wait;
  error_code error;
};

/// idle -> checkout -> running -> finished, and from checkout or running back to checkout, by way
/// of sleeping unless the retry follows at once.
///
/// Events of an attempt that is over are ignored, so that the driver need not win any race.
class attempt_machine {
 public:
  attempt_machine(const retry_policy& policy, const call_terms& terms);

  [[nodiscard]] call_step start(time_point now);
  [[nodiscard]] call_step checked_out(const attempt_place& place, time_point now);
  [[nodiscard]] call_step checkout_failed(error_code why,
                                          call_surroundings& around,
                                          time_point now);
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
  /// The timer armed for `wake()`; `facts` only matter while an operation runs.
  [[nodiscard]] call_step timer_fired(const attempt_facts& facts,
                                      call_surroundings& around,
                                      time_point now);
  /// The caller cancels, or the client closes. `sent`: may the running attempt have sent anything?
  [[nodiscard]] call_step stop(error_code why, bool sent, time_point now);

  /// When `timer_fired` is due; `time_point::max()`: not at all.
  [[nodiscard]] time_point wake() const noexcept { return wake_; }
  /// Of the attempt that runs or is to run next; from 1.
  [[nodiscard]] std::uint32_t attempt() const noexcept { return attempt_; }
  [[nodiscard]] bool is_waiting_for_checkout() const noexcept { return stage_ == stage::checkout; }
  [[nodiscard]] bool is_running() const noexcept { return stage_ == stage::running; }
  [[nodiscard]] bool is_finished() const noexcept { return stage_ == stage::finished; }
  [[nodiscard]] time_point deadline() const noexcept { return terms_.deadline; }
  [[nodiscard]] const std::vector<tried_endpoint>& tried() const noexcept { return tried_; }
  [[nodiscard]] const call_history& history() const noexcept { return history_; }
  [[nodiscard]] call_history take_history() noexcept { return std::move(history_); }
  /// Attempts begun so far.
  [[nodiscard]] std::uint32_t begun() const noexcept { return begun_; }
  /// Retries that were wanted and not allowed by the budget.
  [[nodiscard]] std::uint32_t denied() const noexcept { return denied_; }

 private:
  enum class stage { idle, checkout, running, sleeping, finished };

  [[nodiscard]] bool attempts_left() const noexcept { return attempt_ < policy_.max_attempts; }
  [[nodiscard]] bool may_repeat(const attempt_facts& f) const;
  [[nodiscard]] time_point attempt_deadline(time_point now) const;
  [[nodiscard]] bool retry_allowed(const attempt_facts& f,
                                   call_surroundings& around,
                                   time_point now);
  [[nodiscard]] bool wants_reset(const attempt_facts& f,
                                 call_surroundings& around,
                                 time_point now) const;
  [[nodiscard]] bool follows_at_once(const attempt_facts& f) const;
  [[nodiscard]] duration wait_before_retry(const attempt_facts& f);
  [[nodiscard]] call_step run_out_of_time(attempt_facts facts, time_point now);
  [[nodiscard]] call_step fail(attempt_facts facts, call_surroundings& around, time_point now);
  void retry(call_step& s, const attempt_facts& f, time_point now);
  void end_attempt(call_step& s, const attempt_facts& f, time_point now);
  void begin_checkout(call_step& s, time_point now);
  void finish(call_step& s, error_code error);

  retry_policy policy_;
  call_terms terms_;
  random_source chance_;
  stage stage_ = stage::idle;
  std::uint32_t attempt_ = 1;
  std::uint32_t begun_ = 0;
  std::uint32_t denied_ = 0;
  bool retry_granted_ = false;  // the budget was asked already for the retry that follows
  time_point began_{};          // of the attempt, its checkout included
  time_point wake_ = time_point::max();
  attempt_place place_;
  error_code last_error_;
  std::vector<tried_endpoint> tried_;
  call_history history_;
};

}  // namespace redial::detail
