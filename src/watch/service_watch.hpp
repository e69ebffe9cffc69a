// SPDX-License-Identifier: Apache-2.0
#pragma once

// One SRV name: its record set, joined with the addresses of its targets.

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

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// The belief about one SRV name. An endpoint is a target, port and address; it is present while
/// the record set has the target and port, and the target has the address: each judged by its own
/// answers (RFC 2782). Addresses come from whoever watches the targets (`follow`).
///
/// \par Threads One at a time.
class service_watch {
 public:
  /// `options` must outlive the object.
  service_watch(std::string name, const watch_options& options, std::uint64_t seed);
  service_watch(std::string name, watch_options&& options, std::uint64_t seed) = delete;
  service_watch(const service_watch&) = delete;
  service_watch& operator=(const service_watch&) = delete;

  /// Time passed. Also the first call: asks the first question.
  [[nodiscard]] watch_step on_time(time_point now);
  /// The answer to the question that an earlier step asked; others are ignored.
  [[nodiscard]] watch_step on_answer(const answer& received, time_point now);
  /// What is believed about the addresses of a target that is followed; their ports do not count.
  [[nodiscard]] watch_step on_target(const std::string& target, snapshot_ptr s, time_point now);
  [[nodiscard]] watch_step on_report(const endpoint& where,
                                     endpoint_outcome outcome,
                                     bool last_usable,
                                     time_point now);
  [[nodiscard]] watch_step on_refresh_wanted(time_point now);
  [[nodiscard]] watch_step on_suspended(time_point now);

  /// Nobody is interested: asks nothing until `resume`. All targets count as not followed.
  void pause() noexcept;
  [[nodiscard]] watch_step resume(time_point now);

  [[nodiscard]] const snapshot_ptr& current() const noexcept { return published_.current(); }
  [[nodiscard]] bool in_flight() const noexcept { return set_.refresh().in_flight(); }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  void explain(explanation& e, time_point now) const;

 private:
  struct followed {
    snapshot_ptr addresses;  // null until its first snapshot
    bool asked_for = false;
    bool wanted = false;  // has a member; only while `follow_targets` looks
  };

  void want_refresh(time_point now, watch_step& step);
  void finish(time_point now, watch_step& step);
  /// True when the set has targets that it did not have before.
  bool follow_targets(watch_step& step);
  void publish(time_point now, watch_step& step);
  [[nodiscard]] bool may_publish(time_point now) const noexcept;
  [[nodiscard]] bool all_resolved() const noexcept;
  [[nodiscard]] bool serves() const noexcept;
  [[nodiscard]] bool may_keep_old(time_point now);
  [[nodiscard]] time_point denied_until() const noexcept;
  void keep_old(time_point now, snapshot& s) const;
  /// Returns how many were left out.
  std::uint32_t limit(snapshot& s) const;
  [[nodiscard]] endpoint_explanation explain(const snapshot_entry& entry, time_point now) const;
  [[nodiscard]] snapshot compose(time_point now) const;
  void add_endpoints(const basic_member<service>& m, snapshot& s) const;
  void explain_absence(snapshot& s) const;
  [[nodiscard]] time_point next_wake(time_point now) const noexcept;

  const std::string name_;
  const watch_options& options_;
  random_source random_;
  basic_rrset_watch<service> set_;
  std::map<std::string, followed> targets_;
  publisher published_;
  forced_refresh forced_;
  /// Until then the snapshot waits for targets whose addresses are not known yet.
  time_point hold_until_ = time_point::max();
  /// Since then all listed targets have been said to have no address; max(): not so.
  time_point denied_since_ = time_point::max();
  bool paused_ = false;
};

}  // namespace redial::inline REDIAL_ABI::detail
