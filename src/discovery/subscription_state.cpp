// SPDX-License-Identifier: Apache-2.0

#include "discovery/subscription_state.hpp"

#include "discovery/discovery_state.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace redial::inline REDIAL_ABI::detail {

namespace asio = boost::asio;

namespace {
// A snapshot says everything, so a subscriber that has slept this long misses nothing but history.
constexpr std::size_t most_waiting = 64;
}  // namespace

subscription_state::subscription_state(std::weak_ptr<discovery_state> from,
                                       std::string key,
                                       std::uint16_t port,
                                       asio::any_io_executor executor,
                                       discovery::snapshot_handler handler)
    : from_(std::move(from)),
      key_(std::move(key)),
      port_(port),
      executor_(std::move(executor)),
      handler_(std::make_shared<const discovery::snapshot_handler>(std::move(handler))) {}

void subscription_state::deliver(snapshot_ptr s) {
  const std::lock_guard lock(mutex_);
  if (!handler_) return;
  if (waiting_.size() >= most_waiting) waiting_.pop_front();
  waiting_.push_back(std::move(s));
  if (!running_) post_next();
}

// Under the lock, so that a subscriber that has cancelled may destroy its executor's context.
void subscription_state::post_next() {
  asio::post(executor_, [self = shared_from_this()] { self->run_next(); });
  running_ = true;
}

void subscription_state::run_next() {
  struct turn {
    subscription_state& state;
    // Also when the handler throws: the exception belongs to the executor, the next snapshot to us.
    ~turn() {
      const std::lock_guard lock(state.mutex_);
      state.running_ = false;
      try {
        if (state.handler_ && !state.waiting_.empty()) state.post_next();
      } catch (...) {
        // No memory: the next `deliver` tries again.
      }
    }
  };

  std::shared_ptr<const discovery::snapshot_handler> handler;
  snapshot_ptr next;
  const turn ending{*this};
  {
    const std::lock_guard lock(mutex_);
    if (!handler_ || waiting_.empty()) return;
    handler = handler_;
    next = std::move(waiting_.front());
    waiting_.pop_front();
  }
  (*handler)(std::move(next));
}

void subscription_state::cancel() noexcept {
  std::shared_ptr<const discovery::snapshot_handler> handler;
  asio::any_io_executor executor;
  {
    const std::lock_guard lock(mutex_);
    executor.swap(executor_);
    handler.swap(handler_);
    waiting_.clear();  // in place: an empty deque of its own would take memory
  }
  if (!handler) return;
  if (const auto from = from_.lock()) from->detach(shared_from_this());
}

void subscription_state::report(const endpoint& where,
                                endpoint_outcome outcome,
                                bool last_usable) const {
  if (const auto from = from_.lock()) from->report(key_, where, outcome, last_usable);
}

void subscription_state::refresh() const {
  if (const auto from = from_.lock()) from->refresh(key_);
}

}  // namespace redial::inline REDIAL_ABI::detail
