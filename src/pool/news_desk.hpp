// SPDX-License-Identifier: Apache-2.0
#pragma once

// Tells a pool's events to its listener: outside the lock, in the order in which they happened.

#include <redial/core/events.hpp>

#include "pool/pool_actions.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// Filled under the pool's lock, emptied by one thread at a time: whoever comes first also tells
/// what others add meanwhile, also what the listener itself causes.
class news_desk {
 public:
  news_desk(std::shared_ptr<event_listener> listener,
            std::string name,
            boost::asio::any_io_executor executor)
      : listener_(std::move(listener)), name_(std::move(name)), executor_(std::move(executor)) {}

  /// Called under the pool's lock, so that the order is that of the happenings.
  void add(std::vector<pool_news>& news) noexcept;
  /// Called without it. Returns when all is told, or when another call is telling it. What the
  /// listener throws is thrown from a handler of `executor`, unless that `may_post` no more.
  void tell(bool may_post);

 private:
  void tell(const pool_news& one) const;

  const std::shared_ptr<event_listener> listener_;
  const std::string name_;
  const boost::asio::any_io_executor executor_;
  std::mutex mutex_;
  std::vector<pool_news> waiting_;
  bool telling_ = false;
};

}  // namespace redial::inline REDIAL_ABI::detail
