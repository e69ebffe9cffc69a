// SPDX-License-Identifier: Apache-2.0
#pragma once

// Drives the belief about the addresses of one host.

#include <redial/core/abi.hpp>

#include "discovery/watched.hpp"
#include "watch/name_watch.hpp"

#include <memory>
#include <string>

namespace redial::inline REDIAL_ABI::detail {

class watched_name final : public watched {
  struct only_make {
    explicit only_make() = default;
  };

 public:
  /// Asks nothing until the first subscriber comes.
  [[nodiscard]] static std::shared_ptr<watched_name> make(
      std::string host, std::shared_ptr<const watch_surroundings> around);
  watched_name(only_make, std::string host, std::shared_ptr<const watch_surroundings> around);

  void report(const endpoint& where, endpoint_outcome outcome, bool last_usable) override;
  void refresh() override;
  void after_suspend() override;
  void hosts_changed() override;
  [[nodiscard]] bool in_flight() const noexcept override { return watch_.in_flight(); }
  void explain(explanation& e, std::uint16_t port) const override;
  [[nodiscard]] snapshot_ptr current() const override { return watch_.current(); }

 private:
  watch_step on_time(time_point now) override { return watch_.on_time(now); }
  watch_step on_answer(const answer& received, time_point now) override;
  watch_step wake_up(time_point now) override;
  void fall_asleep() noexcept override { watch_.pause(); }
  void perform(const watch_step& step) override;
  [[nodiscard]] const std::string& name() const noexcept override { return watch_.name(); }

  name_watch watch_;
};

}  // namespace redial::inline REDIAL_ABI::detail
