// SPDX-License-Identifier: Apache-2.0
#pragma once

// What one source of the user's says about one target.

#include <redial/core/time.hpp>
#include <redial/watch/explanation.hpp>
#include <redial/watch/options.hpp>
#include <redial/watch/snapshot.hpp>
#include <redial/watch/source_answer.hpp>

#include "watch/forced_refresh.hpp"
#include "watch/publisher.hpp"
#include "watch/random_source.hpp"
#include "watch/rrset_watch.hpp"
#include "watch/watch_step.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// The same rules as for a record set: TTL, backoff, last known good. An API lists all there is, so
/// the name is complete unless the options say that it is sampled.
///
/// \par Threads One at a time.
class source_watch {
 public:
  /// `port` is for endpoints without one.
  source_watch(std::string target,
               std::string label,
               std::uint16_t port,
               const watch_options& options,
               std::uint64_t seed);
  source_watch(const source_watch&) = delete;
  source_watch& operator=(const source_watch&) = delete;

  /// Time passed. Also the first call: fetches.
  [[nodiscard]] watch_step on_time(time_point now);
  /// The outcome of a fetch that an earlier step asked for; others are ignored.
  [[nodiscard]] watch_step on_fetched(const source_answer& received, time_point now);
  [[nodiscard]] watch_step on_report(const endpoint& where,
                                     endpoint_outcome outcome,
                                     bool last_usable,
                                     time_point now);
  [[nodiscard]] watch_step on_refresh_wanted(time_point now);
  /// The source says that there is news: fetched at once, however often that is; `ttl_floor` apart,
  /// and after the fetch in flight, which may not have seen it.
  [[nodiscard]] watch_step on_news(time_point now);
  [[nodiscard]] watch_step on_suspended(time_point now);

  void pause() noexcept { paused_ = true; }
  [[nodiscard]] watch_step resume(time_point now);

  [[nodiscard]] const snapshot_ptr& current() const noexcept { return published_.current(); }
  [[nodiscard]] bool in_flight() const noexcept { return set_.refresh().in_flight(); }
  [[nodiscard]] const std::string& label() const noexcept { return label_; }
  void explain(explanation& e, time_point now) const;

 private:
  struct candidate {
    endpoint where;
    const sourced_endpoint* said;
  };

  [[nodiscard]] std::vector<candidate> usable(const source_answer& received) const;
  void note_metadata(const candidate& c);
  void forget_metadata();
  void want_refresh(time_point now, watch_step& step);
  void finish(time_point now, watch_step& step);
  [[nodiscard]] snapshot compose(time_point now) const;
  void explain_absence(snapshot& s) const;

  const std::string target_;
  const std::string label_;
  const std::uint16_t port_;
  const watch_options options_;
  random_source random_;
  basic_rrset_watch<endpoint> set_;
  std::map<endpoint, std::shared_ptr<const endpoint_metadata>> metadata_;
  publisher published_;
  forced_refresh forced_;
  forced_refresh news_;
  bool has_news_ = false;  // nothing was fetched for it so far, nor put off
  bool paused_ = false;
};

}  // namespace redial::inline REDIAL_ABI::detail
