// SPDX-License-Identifier: Apache-2.0
#pragma once

// One name: its A and AAAA sets, or its lines in the hosts file, put together into what is
// published, and what to ask next.

#include <redial/core/answer.hpp>
#include <redial/core/time.hpp>
#include <redial/watch/explanation.hpp>
#include <redial/watch/options.hpp>
#include <redial/watch/snapshot.hpp>

#include "watch/forced_refresh.hpp"
#include "watch/publisher.hpp"
#include "watch/random_source.hpp"
#include "watch/rrset_watch.hpp"
#include "watch/watch_step.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// The belief about one name. Its snapshots have port 0: ports belong to the target, not to the
/// name.
///
/// \par Threads One at a time.
class name_watch {
 public:
  /// `options` must outlive the object.
  name_watch(std::string name, const watch_options& options, std::uint64_t seed);
  name_watch(std::string name, watch_options&& options, std::uint64_t seed) = delete;
  name_watch(const name_watch&) = delete;
  name_watch& operator=(const name_watch&) = delete;

  /// Time passed. Also the first call: asks the first questions.
  [[nodiscard]] watch_step on_time(time_point now);
  /// The answer to a question that an earlier step asked; others are ignored.
  [[nodiscard]] watch_step on_answer(const answer& received, time_point now);
  /// What the hosts file says about the name: it replaces DNS in both families. Empty: nothing any
  /// more; then DNS is asked, and the old addresses serve until it has an answer.
  [[nodiscard]] watch_step on_hosts(const std::vector<address>& addresses, time_point now);
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
  [[nodiscard]] const snapshot_ptr& current() const noexcept { return published_.current(); }
  [[nodiscard]] bool in_flight() const noexcept;
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// Adds the sets and, with `port`, the endpoints.
  void explain(explanation& e, std::uint16_t port, time_point now) const;

 private:
  struct family {
    record_type type;
    rrset_watch set;
  };
  struct hosts_lines {
    std::vector<address> addresses;
    time_point since{};
    time_point gone_since = time_point::max();  // not in the file any more
    bool doubted = false;

    [[nodiscard]] bool rule() const noexcept { return gone_since == time_point::max(); }
  };

  void want_refresh(time_point now, watch_step& step);
  void finish(time_point now, watch_step& step);
  void ask_other_family(const family& answered, answer_outcome outcome, time_point now);
  void shorten_backoffs(time_point now);
  void cross_check(time_point now);
  void let_hosts_go(time_point now);
  void ask_due(time_point now, watch_step& step);
  void publish(time_point now, watch_step& step);
  [[nodiscard]] bool may_publish(time_point now) const noexcept;
  [[nodiscard]] bool is_still_true(time_point now) const noexcept;
  [[nodiscard]] snapshot compose(time_point now) const;
  void compose_hosts(snapshot& s) const;
  void explain_absence(snapshot& s) const noexcept;
  [[nodiscard]] time_point next_wake(time_point now) const noexcept;
  [[nodiscard]] std::size_t known() const noexcept;
  [[nodiscard]] bool all_answered() const noexcept;
  [[nodiscard]] bool all_negative() const noexcept;
  [[nodiscard]] time_point nothing_since() const noexcept;
  [[nodiscard]] time_point hosts_drain_at() const noexcept;
  void explain_hosts(explanation& e, std::uint16_t port, time_point now) const;
  [[nodiscard]] bool hosts_rule() const noexcept { return hosts_ && hosts_->rule(); }

  const std::string name_;
  const watch_options& options_;
  random_source random_;
  std::vector<family> families_;  // A first; one per family that is on. Never resized.
  std::unique_ptr<hosts_lines> hosts_;
  publisher published_;
  forced_refresh forced_;
  time_point first_answer_ = time_point::max();
  bool paused_ = false;
};

}  // namespace redial::inline REDIAL_ABI::detail
