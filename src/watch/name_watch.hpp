// SPDX-License-Identifier: Apache-2.0
#pragma once

// One name: its A and AAAA sets put together into what is published, and what to ask next.

#include <redial/core/answer.hpp>
#include <redial/core/time.hpp>
#include <redial/watch/options.hpp>
#include <redial/watch/snapshot.hpp>

#include "watch/random_source.hpp"
#include "watch/rrset_watch.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace redial::detail {

struct publication {
  /// Ports are 0: they belong to the target, not to the name.
  snapshot_ptr what;
  std::uint32_t added = 0;
  std::uint32_t departed = 0;
};

/// What the driver has to do after it told a name_watch something.
struct watch_step {
  std::vector<record_type> ask;  ///< Now; they count as in flight from here on.
  std::optional<publication> publish;
  member_changes changes;
  std::uint32_t left_out = 0;           ///< Records over `max_endpoints`.
  bool forced = false;                  ///< Somebody asked for a refresh.
  bool deferred = false;                ///< The forced refresh waits for the end of its interval.
  bool joined = false;                  ///< It found a question in flight.
  time_point wake = time_point::max();  ///< Call `on_time` then; later than now.
};

/// The belief about one name.
///
/// \par Threads One at a time.
class name_watch {
 public:
  name_watch(std::string name, const watch_options& options, std::uint64_t seed);
  name_watch(const name_watch&) = delete;
  name_watch& operator=(const name_watch&) = delete;

  /// Time passed. Also the first call: asks the first questions.
  [[nodiscard]] watch_step on_time(time_point now);
  /// The answer to a question that an earlier step asked; others are ignored.
  [[nodiscard]] watch_step on_answer(const answer& received, time_point now);
  /// Somebody used `where`. `last_usable`: they have nothing else to use.
  [[nodiscard]] watch_step on_report(const address& where,
                                     endpoint_outcome outcome,
                                     bool last_usable,
                                     time_point now);
  /// Somebody wants to know now.
  [[nodiscard]] watch_step on_refresh_wanted(time_point now);
  /// The machine slept: nobody knows for how long each answer was old already. Everything is asked
  /// again, spread over a second.
  [[nodiscard]] watch_step on_suspended(time_point now);

  /// Nobody is interested: asks nothing until `resume`. Answers still on their way are taken.
  void pause() noexcept { paused_ = true; }
  /// Goes on from what is known, and asks what is overdue.
  [[nodiscard]] watch_step resume(time_point now);

  /// The last one published; null before that.
  [[nodiscard]] const snapshot_ptr& current() const noexcept { return current_; }
  [[nodiscard]] bool in_flight() const noexcept;
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  void want_refresh(time_point now, watch_step& step);
  void finish(time_point now, watch_step& step);
  void cross_check(time_point now, watch_step& step);
  void ask_due(time_point now, watch_step& step);
  void publish(time_point now, watch_step& step);
  [[nodiscard]] bool may_publish(time_point now) const noexcept;
  [[nodiscard]] snapshot compose(time_point now) const;
  void explain_absence(snapshot& s) const noexcept;
  [[nodiscard]] time_point next_wake(time_point now) const noexcept;
  [[nodiscard]] std::size_t known() const noexcept;

  const std::string name_;
  const watch_options options_;
  random_source random_;
  std::vector<rrset_watch> sets_;  // A first; one per family that is on. Never resized.
  snapshot_ptr current_;
  time_point first_answer_ = time_point::max();
  time_point forced_at_ = time_point::min();   // the last forced refresh
  time_point forced_due_ = time_point::max();  // the one put off
  bool paused_ = false;
};

}  // namespace redial::detail
