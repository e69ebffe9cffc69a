// SPDX-License-Identifier: Apache-2.0
#pragma once

// When to ask one question again, and how old its last good answer is.

#include <redial/core/events.hpp>
#include <redial/core/time.hpp>
#include <redial/watch/options.hpp>

#include "watch/random_source.hpp"

#include <chrono>

namespace redial::inline REDIAL_ABI::detail {

/// All names of a program that was suspended are due when it wakes up: they ask within so long.
inline constexpr duration spread_after_suspend = std::chrono::seconds{1};

/// The refresh of one (name, type): idle until an instant, or in flight.
///
/// ```
/// idle(due) --asked--> in flight --on_records | on_negative | on_failure--> idle(due)
/// ```
class refresh_machine {
 public:
  /// Both must outlive the machine. The first question is due at once.
  refresh_machine(const watch_options& options, random_source& random) noexcept
      : options_(options), random_(random) {}

  [[nodiscard]] bool in_flight() const noexcept { return in_flight_; }
  /// When to ask; `time_point::max()` while a question is in flight.
  [[nodiscard]] time_point due() const noexcept { return in_flight_ ? time_point::max() : due_; }
  /// True when nothing but the spread of questions keeps it from asking now: so it may go together
  /// with another question about the same name.
  [[nodiscard]] bool may_ask(time_point now) const noexcept {
    return !in_flight_ && now >= may_ask_;
  }
  /// Asks no later than `when`. A question already in flight is taken as the answer to that.
  void ask_by(time_point when) noexcept;
  void asked() noexcept { in_flight_ = true; }
  /// Somebody is heard again: a backoff that is under way ends as the first one would have. So does
  /// the one after a question in flight, should that have been lost before.
  void shorten_backoff(time_point now) noexcept;

  void on_records(std::chrono::seconds ttl, time_point now) noexcept;
  /// A negative answer that is believed: asked again when its own TTL ends.
  void on_negative(std::chrono::seconds ttl, time_point now) noexcept;
  /// A failure, or a negative answer that is not believed: asked again after a backoff.
  void on_failure(time_point now) noexcept;

  [[nodiscard]] freshness at(time_point now) const noexcept;
  [[nodiscard]] time_point fresh_until() const noexcept { return fresh_until_; }
  /// When the last good answer expires: `stale_limit` after it came; never: `time_point::max()`.
  [[nodiscard]] time_point expires() const noexcept;
  [[nodiscard]] unsigned failures() const noexcept { return failures_; }
  [[nodiscard]] bool ever_good() const noexcept { return ever_good_; }

 private:
  const watch_options& options_;
  random_source& random_;
  time_point due_ = time_point::min();
  time_point may_ask_ = time_point::min();
  bool in_flight_ = false;
  bool hope_ = false;  // `shorten_backoff` came while in flight
  bool ever_good_ = false;
  unsigned failures_ = 0;
  time_point last_good_{};
  time_point last_failed_{};
  time_point fresh_until_{};
};

}  // namespace redial::inline REDIAL_ABI::detail
