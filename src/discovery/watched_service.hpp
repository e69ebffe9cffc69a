// SPDX-License-Identifier: Apache-2.0
#pragma once

// Drives the belief about one SRV name, as a subscriber of the hosts that it names.

#include <redial/core/abi.hpp>

#include "discovery/watched.hpp"
#include "watch/service_watch.hpp"

#include <map>
#include <memory>
#include <string>

namespace redial::inline REDIAL_ABI::detail {

class watched_service final : public watched {
 public:
  /// Asks nothing until the first subscriber comes.
  [[nodiscard]] static std::shared_ptr<watched_service> make(
      std::string owner, std::shared_ptr<const watch_surroundings> around);

  void report(const endpoint& where, endpoint_outcome outcome, bool last_usable) override;
  void refresh() override;
  void after_suspend() override;
  [[nodiscard]] bool in_flight() const noexcept override { return watch_.in_flight(); }
  void explain(explanation& e, std::uint16_t port) const override;
  [[nodiscard]] snapshot_ptr current() const override { return watch_.current(); }

 private:
  struct followed_host {
    std::shared_ptr<watched> host;  // null: its addresses are fixed
    std::shared_ptr<subscription_state> subscription;
  };

  watched_service(std::string owner, std::shared_ptr<const watch_surroundings> around);
  watch_step on_time(time_point now) override { return watch_.on_time(now); }
  watch_step on_answer(const answer& received, time_point now) override;
  watch_step wake_up(time_point now) override { return watch_.resume(now); }
  void fall_asleep() noexcept override;
  void perform(const watch_step& step) override;
  void shut_down() noexcept override;
  [[nodiscard]] const std::string& name() const noexcept override { return watch_.name(); }
  void follow(const std::string& target);
  void heard_of(const std::string& target, snapshot_ptr s);
  void unfollow(const std::string& target);

  service_watch watch_;
  std::map<std::string, followed_host> hosts_;
};

}  // namespace redial::inline REDIAL_ABI::detail
