// SPDX-License-Identifier: Apache-2.0
#pragma once

// A c-ares channel that runs: its sockets watched by Asio, its timeouts by the scheduler.

#include <redial/ports/scheduler.hpp>

#include "dns/cares_channel.hpp"
#include "dns/spin_guard.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

namespace redial::inline REDIAL_ABI::detail {

enum class channel_fault {
  none,
  lost_query,  ///< Queries are open, but neither a socket nor a timeout can end them.
  spin,        ///< A socket is ready without end.
  no_watch,    ///< The system would not watch a socket.
};

/// \par Threads One strand.
/// \par Lifetime Handlers hold it weakly. Destroying it closes its sockets and forgets its queries;
///      never do that from `stirred`.
class live_channel final : public channel_observer,
                           public std::enable_shared_from_this<live_channel> {
 public:
  /// `stirred` is called when there are results or a fault: post from there, do nothing else.
  /// Null when c-ares refuses; `why` says why.
  [[nodiscard]] static std::shared_ptr<live_channel> create(
      const boost::asio::any_io_executor& strand,
      const std::shared_ptr<scheduler>& time,
      const channel_setup& setup,
      std::function<void()> stirred,
      error_code& why);

  live_channel(boost::asio::any_io_executor strand,
               std::shared_ptr<scheduler> time,
               duration try_timeout,
               std::function<void()> stirred);
  ~live_channel();

  void ask(std::uint64_t id, const question& q, time_point now);
  /// As `cares_channel::take_finished`.
  void take_finished(channel_results& into) noexcept { channel_->take_finished(into); }
  /// Once it is not `none`, nothing more will come.
  [[nodiscard]] channel_fault fault() const noexcept { return fault_; }
  /// Questions that c-ares still works on, also those nobody waits for any more.
  [[nodiscard]] std::size_t open_queries() const noexcept { return channel_->outstanding(); }

  /// The owner's: how many questions wait for this channel.
  std::size_t questions = 0;

 private:
  struct watched;
  using watched_ptr = std::shared_ptr<watched>;

  void watch(int fd, bool readable, bool writable) noexcept override;
  watched_ptr start_watching(int fd);
  void arm(const watched_ptr& w);
  void wait(const watched_ptr& w, bool for_write);
  [[nodiscard]] bool spins(watched& w);
  void ready(const watched_ptr& w, bool for_write);
  void on_timer();
  void after_step(time_point now);
  void arm_timer(time_point now);
  void arm_by(time_point when);
  void fail(channel_fault fault) noexcept;

  boost::asio::any_io_executor strand_;
  std::shared_ptr<scheduler> time_;
  const duration try_timeout_;
  std::function<void()> stirred_;
  std::uint64_t results_ = 0;  // of the channel so far that `stirred_` was called for
  std::map<int, watched_ptr> watched_;
  channel_fault fault_ = channel_fault::none;
  std::optional<time_point> armed_for_;
  member_timer<live_channel, &live_channel::on_timer> timer_{*this};
  std::unique_ptr<cares_channel> channel_;  // last: it lets go of its sockets first
};

}  // namespace redial::inline REDIAL_ABI::detail
