// SPDX-License-Identifier: Apache-2.0
#pragma once

// Drives one belief: its timer and its subscribers. What is believed, and whom to ask, is up to
// those who derive from it.

#include <redial/core/address_range.hpp>
#include <redial/core/events.hpp>
#include <redial/ports/dns_source.hpp>
#include <redial/ports/scheduler.hpp>
#include <redial/watch/explanation.hpp>
#include <redial/watch/options.hpp>
#include <redial/watch/snapshot.hpp>

#include "discovery/shared_counters.hpp"
#include "discovery/strand_timers.hpp"
#include "watch/watch_step.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

class subscription_state;
class watched;

/// What everything watched by one discovery has in common.
struct watch_surroundings {
  watch_options watch;
  std::uint64_t seed = 0;
  boost::asio::any_io_executor strand;  // empty once its context is gone
  std::shared_ptr<scheduler> time;
  std::shared_ptr<strand_timers> timers;
  std::unique_ptr<dns_source> source;        // null once closed
  std::shared_ptr<event_listener> listener;  // may be null
  std::shared_ptr<shared_counters> counters;
  std::vector<address_range> denied;  // of answers
  mutable question asking;            // scratch, on the strand
  /// What the hosts file says about a name; null: nothing. The function is empty when it is not
  /// read at all.
  std::function<const std::vector<address>*(const std::string& name)> hosts;
  /// Called on the strand when somebody gained the first subscriber, or lost the last.
  std::function<void(watched&, bool has_subscribers)> on_interest;
  /// Whoever watches the addresses of a host; null once closed.
  std::function<std::shared_ptr<watched>(const std::string& host)> host;

  /// Guards `strand` against threads that are not on it, while its context is being destroyed.
  /// Recursive: what a strand that is shut down is given, it destroys at once.
  mutable std::recursive_mutex gate;

  [[nodiscard]] bool can_post() const {
    const std::lock_guard lock(gate);
    return strand && !time->is_stopped();
  }
  /// From any thread. Drops `f` when the context is going or gone.
  template <class Function>
  void post(Function f) const {
    const std::lock_guard lock(gate);
    if (can_post()) boost::asio::post(strand, std::move(f));
  }
};

/// \par Threads The strand, except for the destructor, which may run anywhere.
class watched : public std::enable_shared_from_this<watched> {
 public:
  virtual ~watched();
  watched(const watched&) = delete;
  watched& operator=(const watched&) = delete;

  void add(const std::shared_ptr<subscription_state>& subscriber);
  void remove(const std::shared_ptr<subscription_state>& subscriber);
  /// Nothing happens any more. Subscribers that have no snapshot get one with `errc::closed`.
  void close();

  /// The strand's context is being destroyed: what holds the strand lets go of it.
  void context_gone() noexcept { shut_down(); }

  virtual void report(const endpoint& where, endpoint_outcome outcome, bool last_usable) = 0;
  virtual void refresh() = 0;
  virtual void after_suspend() = 0;
  /// The hosts file says something else about it now.
  virtual void hosts_changed() {}
  [[nodiscard]] virtual bool in_flight() const noexcept = 0;
  /// Sets and endpoints; endpoints without a port get `port`.
  virtual void explain(explanation& e, std::uint16_t port) const = 0;
  /// The last snapshot; null before that.
  [[nodiscard]] virtual snapshot_ptr current() const = 0;

  [[nodiscard]] bool has_subscribers() const noexcept { return !subscribers_.empty(); }
  [[nodiscard]] std::size_t subscribers() const noexcept { return subscribers_.size(); }
  /// When the last subscriber left.
  [[nodiscard]] time_point alone_since() const noexcept { return alone_since_; }

 protected:
  explicit watched(std::shared_ptr<const watch_surroundings> around) noexcept
      : around_(std::move(around)) {}
  /// To be called once, as soon as somebody owns it.
  void own_timer() { timer_.owned_by(weak_from_this()); }

  virtual watch_step on_time(time_point now) = 0;
  /// There are subscribers from now on.
  virtual watch_step wake_up(time_point now) = 0;
  /// Nobody is interested any more.
  virtual void fall_asleep() noexcept = 0;
  /// Asks what the step wants asked, follows whom it wants followed.
  virtual void perform(const watch_step& step) = 0;
  virtual void shut_down() noexcept {}
  [[nodiscard]] virtual const std::string& name() const noexcept = 0;

  void apply(const watch_step& step);
  [[nodiscard]] time_point now() const { return around_->time->now(); }
  [[nodiscard]] bool is_closed() const noexcept { return closed_; }
  [[nodiscard]] const watch_surroundings& around() const noexcept { return *around_; }
  /// One question about `name()`; the answer comes to `on_answer` unless this is gone by then.
  void ask(record_type type);
  virtual watch_step on_answer(const answer& received, time_point now);

 private:
  void on_timer();
  void answered(const answer& received, time_point asked);
  void believe(const answer& received, time_point asked);
  void publish();
  template <class Event>
  void tell(const Event& event) const;
  void tell_publication(const publication& p) const;
  void tell_endpoint(const presence_change& c) const;
  [[nodiscard]] snapshot_ptr for_port(std::uint16_t port);
  void arm(time_point when);

  const std::shared_ptr<const watch_surroundings> around_;
  std::vector<std::shared_ptr<subscription_state>> subscribers_;
  // The current snapshot with the ports of those who have asked for it so far.
  std::vector<std::pair<std::uint16_t, snapshot_ptr>> by_port_;
  time_point due_ = time_point::max();
  time_point alone_since_{};
  bool closed_ = false;
  member_timer<watched, &watched::on_timer> timer_{*this};
};

}  // namespace redial::inline REDIAL_ABI::detail
