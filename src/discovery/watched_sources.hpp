// SPDX-License-Identifier: Apache-2.0
#pragma once

// Drives one target that sources of the user's know about, with DNS below them.

#include <redial/core/target.hpp>
#include <redial/discovery/endpoint_source.hpp>

#include "discovery/watched.hpp"
#include "watch/precedence.hpp"
#include "watch/source_watch.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

class watched_sources final : public watched {
 public:
  /// `below` is asked when no source has endpoints. Asks nothing until the first subscriber comes.
  [[nodiscard]] static std::shared_ptr<watched_sources> make(
      const target& t,
      const std::vector<std::shared_ptr<endpoint_source>>& sources,
      std::shared_ptr<watched> below,
      duration fetch_timeout,
      std::shared_ptr<const watch_surroundings> around);

  void report(const endpoint& where, endpoint_outcome outcome, bool last_usable) override;
  void refresh() override;
  void after_suspend() override;
  /// One of the sources has news.
  void news();
  [[nodiscard]] bool in_flight() const noexcept override;
  void explain(explanation& e, std::uint16_t port) const override;
  [[nodiscard]] snapshot_ptr current() const override { return published_.current(); }

 private:
  struct layer {
    std::shared_ptr<endpoint_source> source;
    std::unique_ptr<source_watch> watch;
    bool awake = false;
    time_point wake = time_point::max();
    time_point fetch_deadline = time_point::max();
    std::uint64_t fetches = 0;  // numbers the fetch in flight
  };

  watched_sources(const target& t,
                  const std::vector<std::shared_ptr<endpoint_source>>& sources,
                  std::shared_ptr<watched> below,
                  duration fetch_timeout,
                  std::shared_ptr<const watch_surroundings> around);
  watch_step on_time(time_point now) override;
  watch_step wake_up(time_point now) override;
  void fall_asleep() noexcept override;
  void perform(const watch_step& step) override;
  void shut_down() noexcept override;
  [[nodiscard]] const std::string& name() const noexcept override { return target_.text(); }

  void take(layer& l, const watch_step& step);
  void fetch(layer& l);
  void fetched(std::size_t at, std::uint64_t number, const source_answer& received);
  void follow_below();
  void unfollow_below();
  [[nodiscard]] watch_step settle();
  [[nodiscard]] precedence decide_now() const;

  const target target_;
  const duration fetch_timeout_;
  std::vector<layer> layers_;
  const std::shared_ptr<watched> below_;
  std::shared_ptr<subscription_state> subscription_;  // to `below_`, while it is needed
  snapshot_ptr from_below_;
  publisher published_;
};

}  // namespace redial::inline REDIAL_ABI::detail
