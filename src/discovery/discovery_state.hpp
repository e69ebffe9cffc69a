// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a discovery shares with its subscriptions: everything watched, on one strand.

#include <redial/core/counters.hpp>
#include <redial/core/target.hpp>
#include <redial/discovery/discovery.hpp>
#include <redial/ports/dns_source.hpp>
#include <redial/ports/scheduler.hpp>

#include "core/fork_check.hpp"
#include "discovery/suspend_detector.hpp"
#include "discovery/watched.hpp"
#include "dns/context_end.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

class hosts_file;

/// The driver: carries events to what is watched and its wishes to the sources. Decides nothing.
///
/// \par Threads Public members are safe from any thread; they post to the strand.
class discovery_state final : public ends_with_context,
                              public std::enable_shared_from_this<discovery_state> {
 public:
  using explanation_handler = std::function<void(explanation)>;

  /// `strand` runs one handler at a time. `options` are valid.
  ~discovery_state();

  /// The hosts file is read when `options` name one.
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
  /// `key` as a subscriber has it.
  void report(const std::string& key,
              const endpoint& where,
              endpoint_outcome outcome,
              bool last_usable);
  void refresh(const std::string& key);
  /// `done` runs on the strand, or right here once closed.
  void explain(const target& t, explanation_handler done);
  void close() noexcept;
  [[nodiscard]] dns_counters counters() const { return around_->counters->copy(); }
  [[nodiscard]] const std::shared_ptr<shared_counters>& figures() const noexcept {
    return around_->counters;
  }
  [[nodiscard]] const std::shared_ptr<scheduler>& time() const noexcept { return around_->time; }
  [[nodiscard]] boost::asio::any_io_executor strand() const {
    const std::lock_guard lock(around_->gate);
    return around_->strand;
  }

 private:
  discovery_state(boost::asio::any_io_executor strand,
                  const discovery_options& options,
                  std::unique_ptr<dns_source> source,
                  std::shared_ptr<scheduler> time,
                  suspend_detector::clock_function asleep);
  void connect_surroundings();
  void use_hosts(const std::string& path);
  void context_gone() noexcept override;
  template <class Function>
  void post(Function f);
  template <class Function>
  void post_for(const std::string& key, Function f);

  // On the strand.
  void attach(const std::shared_ptr<subscription_state>& subscriber, const target& t);
  void remove(const std::shared_ptr<subscription_state>& subscriber);
  [[nodiscard]] std::shared_ptr<watched> find(const std::string& key) const;
  [[nodiscard]] std::shared_ptr<watched> find_or_make(const std::string& key, const target& t);
  [[nodiscard]] std::shared_ptr<watched> host(const std::string& name);
  [[nodiscard]] std::shared_ptr<watched> without_sources(const target& t);
  [[nodiscard]] std::string key_of(const target& t) const;
  void interest_changed(watched& who, bool has_subscribers);
  void hosts_changed(const std::vector<std::string>& names);
  void news_about(const target& t);
  void forget_old_names();
  void check_for_sleep();
  void shut_down();

  const duration fetch_timeout_;
  const std::vector<std::shared_ptr<endpoint_source>> sources_;
  const std::shared_ptr<watch_surroundings> around_;
  suspend_detector suspend_;
  std::map<std::string, std::shared_ptr<watched>> watched_;
  std::unique_ptr<hosts_file> hosts_;         // null: not used, or closed
  std::size_t awake_ = 0;                     // so many have subscribers
  time_point forget_at_ = time_point::max();  // nothing is old enough before this
  bool shut_ = false;
  std::atomic<bool> closing_{false};
  [[no_unique_address]] fork_check process_;
};

}  // namespace redial::inline REDIAL_ABI::detail
