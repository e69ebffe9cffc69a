// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a client retries, how long it tries, and what it tells.

#include <redial/client/call.hpp>
#include <redial/core/abi.hpp>
#include <redial/core/events.hpp>
#include <redial/core/time.hpp>
#include <redial/pool/options.hpp>

#include <cstdint>
#include <functional>
#include <memory>

namespace redial::inline REDIAL_ABI {

/// One retry budget for several clients (`make_retry_budget`).
///
/// \par Threads  Safe from any thread.
class shared_retry_budget;

/// When a failed attempt is followed by another one.
struct REDIAL_API retry_policy {
  retry_policy() = default;

  /// The numbers of the wrapper that people write around a Finagle client: 4 attempts in all, 200
  /// ms before each retry, the pool reset on a retryable failure at most once per 2 s and not in
  /// the first 2 s of the client's life. Each retry prefers another address, and waits without
  /// blocking.
  [[nodiscard]] static retry_policy finagle();

  /// Attempts in all, the first one included. 1 to 100; 1: no retries.
  std::uint32_t max_attempts = 4;
  /// The first retry follows at once when the failed attempt sent nothing.
  bool first_at_once = true;
  /// Wait before a retry. 0 to `delay_max`.
  duration delay = std::chrono::milliseconds{200};
  /// Each wait after the first one is this many times as long as the one before. 1 to 10; 1: all
  /// are `delay`.
  double delay_factor = 1;
  /// ... up to this, `jitter` aside. `delay` to 1 min.
  duration delay_max = std::chrono::minutes{1};
  /// Share of `delay` by which it varies, so that clients do not retry in step. 0 to 1.
  double jitter = 0.25;
  /// Retry budget: at most this share of the calls of the last `budget_window`, in percent, 0 to
  /// 100 ...
  double budget_percent = 20;
  /// ... plus this many per second. Retries of attempts that sent nothing, or that met a dead
  /// reused connection, do not spend it. 0 to 1000000.
  double budget_per_second = 10;
  /// 100 ms to 1 h.
  duration budget_window = std::chrono::seconds{10};
  /// Counts together with other clients of the same service, by that budget's own limits. Null: a
  /// budget of this client alone, by the three limits above.
  std::shared_ptr<shared_retry_budget> shared_budget;
  /// Retry also calls that are not idempotent after bytes were sent. The call may then run twice.
  bool retry_unsafe = false;
  /// Has the last word on whether another attempt may end better than `failed`; `suggested` is what
  /// the library would say. It may say yes to what is not retried otherwise (a response that broke
  /// off, a full queue) and no to what is. Attempts, time and budget stay limited, and a call that
  /// may have been sent and is not idempotent is never repeated, unless `retry_unsafe` is set. Not
  /// asked about successes, cancellation, the call's own deadline and `errc::closed`. Empty: as
  /// suggested.
  ///
  /// An exception from it counts as no.
  ///
  /// \par Threads Several may call it at once, never under a lock of ours. It must not block.
  std::function<bool(const attempt_record& failed, bool suggested)> retry_if;

  /// Reset the whole pool on every retryable failure (at most once per `min_reset_interval`).
  bool reset_on_failure = false;
  /// No such reset in the first part of a client's life. 0 to 1 h.
  duration reset_grace = duration::zero();
};

/// A second attempt beside a first one that is slow: the first success counts, the other attempt is
/// cancelled without blame. Only for idempotent calls, on another endpoint than the first one, once
/// per call and within `retry_policy::max_attempts`. When one of the two fails, the other is waited
/// for.
///
/// The operation is then called while its first run is still under way, maybe on another thread, so
/// what it writes must belong to its attempt.
struct hedge_policy {
  hedge_policy() = default;

  /// When a second attempt starts.
  enum class trigger {
    off,
    after_delay,       ///< When the attempt has run for `delay`.
    after_percentile,  ///< When it has run longer than most of this client's last ones.
  };
  trigger when = trigger::off;  ///< Off by default: a second attempt is more load.
  /// Also the least wait of `after_percentile`. 1 ms to 1 min.
  duration delay = std::chrono::milliseconds{50};
  /// Of the times of the last 256 successful calls on their connections. 50 to 99.9.
  double percentile = 95;
  /// `after_percentile` starts nothing before that many calls have succeeded. 10 to 256.
  std::uint32_t min_samples = 50;
  /// At most this share of the calls of the last 10 s gets a second attempt, in percent. 0 to 100.
  double max_percent = 10;
};

/// What a client does with its calls, and its pool with its connections. Validated at construction.
struct client_options {
  client_options() = default;

  pool_options pool;   ///< Limits and times of its connections.
  retry_policy retry;  ///< What follows a failed attempt.
  hedge_policy hedge;  ///< What follows a slow one.
  /// Longest time for one attempt on its connection, never beyond the call's deadline. Zero:
  /// automatic, half of the time left (at least 50 ms) while another attempt is allowed, else all
  /// of it. 0 to 24 h.
  duration attempt_timeout = duration::zero();
  /// A call's time when its caller gives no deadline. 1 ms to 24 h.
  duration default_timeout = std::chrono::seconds{10};
  /// Given to the pool too, unless `pool.listener` is set. May be null.
  std::shared_ptr<event_listener> listener;
};

/// \throws std::invalid_argument naming the option, its value and the legal range.
REDIAL_API void validate(const retry_policy& p);
REDIAL_API void validate(const hedge_policy& p);    ///< The same.
REDIAL_API void validate(const client_options& o);  ///< The same, of all parts.

/// A budget for `retry_policy::shared_budget`, with the `budget_...` limits of `limits`, which
/// count over the calls of all its clients. \throws std::invalid_argument for an illegal limit.
[[nodiscard]] REDIAL_API std::shared_ptr<shared_retry_budget> make_retry_budget(
    const retry_policy& limits = {});

}  // namespace redial::inline REDIAL_ABI
