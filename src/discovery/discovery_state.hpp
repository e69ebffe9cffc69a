// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a discovery shares with its subscriptions: all names, on one strand.

#include <redial/core/counters.hpp>
#include <redial/core/target.hpp>
#include <redial/discovery/discovery.hpp>
#include <redial/ports/dns_source.hpp>
#include <redial/ports/scheduler.hpp>

#include "discovery/suspend_detector.hpp"
#include "discovery/watched_name.hpp"
#include "dns/context_end.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <atomic>
#include <map>
#include <memory>
#include <string>

namespace redial::detail {

/// The driver: carries events to the names and their wishes to the source. Decides nothing.
///
/// \par Threads Public members are safe from any thread; they post to the strand.
class discovery_state final : public ends_with_context,
                              public std::enable_shared_from_this<discovery_state> {
 public:
  /// `strand` runs one handler at a time. `options` are valid.
  [[nodiscard]] static std::shared_ptr<discovery_state> make(
      boost::asio::any_io_executor strand,
      const discovery_options& options,
      std::unique_ptr<dns_source> source,
      std::shared_ptr<scheduler> time,
      suspend_detector::clock_function asleep = time_asleep);

  [[nodiscard]] std::shared_ptr<subscription_state> subscribe(
      const target& t,
      boost::asio::any_io_executor executor,
      discovery::snapshot_handler on_snapshot);
  void detach(std::shared_ptr<subscription_state> subscriber) noexcept;
  void report(const std::string& name,
              const address& where,
              endpoint_outcome outcome,
              bool last_usable);
  void refresh(const std::string& name);
  void close() noexcept;
  [[nodiscard]] dns_counters counters() const { return around_->counters->copy(); }

 private:
  discovery_state(boost::asio::any_io_executor strand,
                  const discovery_options& options,
                  std::unique_ptr<dns_source> source,
                  std::shared_ptr<scheduler> time,
                  suspend_detector::clock_function asleep);
  void context_gone() noexcept override;
  template <class Function>
  void post(Function f);
  template <class Function>
  void post_for_name(const std::string& name, Function f);

  // On the strand.
  void attach(const std::shared_ptr<subscription_state>& subscriber);
  void remove(const std::shared_ptr<subscription_state>& subscriber);
  [[nodiscard]] std::shared_ptr<watched_name> find(const std::string& name) const;
  void forget_old_names();
  void check_for_sleep();
  void shut_down();

  const watch_options watch_;
  const std::uint64_t seed_;
  const std::shared_ptr<name_surroundings> around_;
  suspend_detector suspend_;
  std::map<std::string, std::shared_ptr<watched_name>> names_;
  time_point forget_at_ = time_point::max();  // no name is old enough before this
  bool shut_ = false;
  std::atomic<bool> closing_{false};
};

}  // namespace redial::detail
