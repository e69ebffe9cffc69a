// SPDX-License-Identifier: Apache-2.0
#pragma once

// Drives the belief about one name: its timer, its questions, its subscribers.

#include <redial/core/answer.hpp>
#include <redial/core/events.hpp>
#include <redial/ports/dns_source.hpp>
#include <redial/ports/scheduler.hpp>
#include <redial/watch/snapshot.hpp>

#include "discovery/shared_counters.hpp"
#include "watch/name_watch.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace redial::detail {

class subscription_state;

/// What the names of one discovery have in common.
struct name_surroundings {
  boost::asio::any_io_executor strand;  // empty once its context is gone
  std::shared_ptr<scheduler> time;
  std::unique_ptr<dns_source> source;        // null once closed
  std::shared_ptr<event_listener> listener;  // may be null
  std::shared_ptr<shared_counters> counters;
  /// Called on the strand before a name acts on its timer.
  std::function<void()> on_tick;

  [[nodiscard]] bool can_post() const noexcept { return strand && !time->is_stopped(); }
};

/// \par Threads The strand, except for the destructor, which may run anywhere.
class watched_name : public std::enable_shared_from_this<watched_name> {
 public:
  /// Asks nothing until the first subscriber comes.
  [[nodiscard]] static std::shared_ptr<watched_name> make(
      std::string name,
      const watch_options& options,
      std::uint64_t seed,
      std::shared_ptr<const name_surroundings> around);
  ~watched_name();
  watched_name(const watched_name&) = delete;
  watched_name& operator=(const watched_name&) = delete;

  void add(const std::shared_ptr<subscription_state>& subscriber);
  void remove(const std::shared_ptr<subscription_state>& subscriber);
  void report(const address& where, endpoint_outcome outcome, bool last_usable);
  void refresh();
  void after_suspend();
  /// Nothing happens any more. Subscribers that have no snapshot get one with `errc::closed`.
  void close();

  [[nodiscard]] bool has_subscribers() const noexcept { return !subscribers_.empty(); }
  [[nodiscard]] bool in_flight() const noexcept { return watch_.in_flight(); }
  /// When the last subscriber left.
  [[nodiscard]] time_point alone_since() const noexcept { return alone_since_; }

 private:
  watched_name(std::string name,
               const watch_options& options,
               std::uint64_t seed,
               std::shared_ptr<const name_surroundings> around);
  void timer_fired();  // any thread
  void on_timer();
  void on_answer(const answer& received, time_point asked);
  void apply(const watch_step& step);
  void ask(record_type type);
  void tell(const watch_step& step) const;
  void publish();
  [[nodiscard]] snapshot_ptr for_port(std::uint16_t port);
  [[nodiscard]] std::vector<std::uint16_t> ports() const;
  void arm(time_point when);

  const std::shared_ptr<const name_surroundings> around_;
  name_watch watch_;
  std::vector<std::shared_ptr<subscription_state>> subscribers_;
  // The current snapshot with the ports of those who have asked for it so far.
  std::vector<std::pair<std::uint16_t, snapshot_ptr>> by_port_;
  time_point due_ = time_point::max();
  time_point alone_since_{};
  bool closed_ = false;
  member_timer<watched_name, &watched_name::timer_fired> timer_{*this};
};

}  // namespace redial::detail
