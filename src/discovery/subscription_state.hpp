// SPDX-License-Identifier: Apache-2.0
#pragma once

// One subscriber: where its snapshots go, one after the other.

#include <redial/core/endpoint.hpp>
#include <redial/discovery/discovery.hpp>
#include <redial/watch/snapshot.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

namespace redial::inline REDIAL_ABI::detail {

/// Delivers snapshots on the subscriber's executor: in the order of `deliver`, never two at once,
/// also when that executor has many threads.
///
/// \par Threads Safe from any thread. The lock is never held while a handler runs or is destroyed.
class subscription_state : public std::enable_shared_from_this<subscription_state> {
 public:
  /// `from` may be empty: a target without DNS.
  subscription_state(std::weak_ptr<discovery_state> from,
                     std::string key,
                     std::uint16_t port,
                     boost::asio::any_io_executor executor,
                     discovery::snapshot_handler handler);

  void deliver(snapshot_ptr s);
  /// Forgets the handler, whatever waits for it, and the executor: its context may go before this
  /// object does. After this nothing is posted.
  void cancel() noexcept;
  void report(const endpoint& where, endpoint_outcome outcome, bool last_usable) const;
  void refresh() const;

  /// What the discovery knows its target by; empty for a target without DNS.
  [[nodiscard]] const std::string& key() const noexcept { return key_; }
  /// For endpoints without one; 0: they stay so.
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

 private:
  void post_next();  // with the lock held
  void run_next();

  const std::weak_ptr<discovery_state> from_;
  const std::string key_;
  const std::uint16_t port_;

  std::mutex mutex_;
  boost::asio::any_io_executor executor_;                       // empty once cancelled
  std::shared_ptr<const discovery::snapshot_handler> handler_;  // null: cancelled
  std::deque<snapshot_ptr> waiting_;
  bool running_ = false;  // a turn is posted, or the handler runs
};

}  // namespace redial::inline REDIAL_ABI::detail
