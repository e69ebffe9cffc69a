// SPDX-License-Identifier: Apache-2.0
#include <redial/testing/scripted_connector.hpp>

#include <boost/asio/post.hpp>

#include <mutex>
#include <utility>

namespace redial::inline REDIAL_ABI::testing {

// Both ends of one connection.
struct scripted_peer::state {
  explicit state(bool watch) : can_watch(watch) {}

  const bool can_watch;
  mutable std::mutex mutex;
  bool open = true;
  bool hung_up = false;
  bool quiet = true;
  bool sent_unasked = false;
  boost::asio::any_io_executor executor;
  bool watched = false;
  std::weak_ptr<idle_observer> observer;

  // Posts the one notice that was asked for, if there is one. Under the lock.
  void notify() {
    if (!watched || !open) return;
    watched = false;
    boost::asio::post(executor, [told = std::exchange(observer, {})] {
      if (const auto alive = told.lock()) alive->stirred();
    });
  }
};

scripted_peer::scripted_peer(endpoint where, std::uint64_t number, bool can_watch)
    : where_(std::move(where)), number_(number), state_(std::make_shared<state>(can_watch)) {}

bool scripted_peer::is_open() const {
  const std::lock_guard lock(state_->mutex);
  return state_->open;
}

bool scripted_peer::is_watched() const {
  const std::lock_guard lock(state_->mutex);
  return state_->watched;
}

void scripted_peer::hang_up() {
  const std::lock_guard lock(state_->mutex);
  state_->hung_up = true;
  state_->quiet = false;
  state_->notify();
}

void scripted_peer::send_unasked() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->sent_unasked = true;
  }
  hang_up();
}

void scripted_peer::stir() {
  const std::lock_guard lock(state_->mutex);
  state_->notify();
}

void scripted_peer::break_silently() {
  const std::lock_guard lock(state_->mutex);
  state_->quiet = false;
}

scripted_connection::scripted_connection(std::shared_ptr<scripted_peer> peer,
                                         boost::asio::any_io_executor executor,
                                         std::function<void()> on_close)
    : peer_(std::move(peer)), executor_(std::move(executor)), on_close_(std::move(on_close)) {
  const std::lock_guard lock(peer_->state_->mutex);
  peer_->state_->executor = executor_;
}

scripted_connection::~scripted_connection() { close(); }

void scripted_connection::close() noexcept {
  {
    const std::lock_guard lock(peer_->state_->mutex);
    if (!std::exchange(peer_->state_->open, false)) return;
    peer_->state_->watched = false;
    peer_->state_->observer.reset();
  }
  if (on_close_) on_close_();
}

bool scripted_connection::quiet() noexcept {
  const std::lock_guard lock(peer_->state_->mutex);
  return peer_->state_->open && peer_->state_->quiet;
}

close_reason scripted_connection::unquiet_reason() const noexcept {
  const std::lock_guard lock(peer_->state_->mutex);
  return peer_->state_->sent_unasked ? close_reason::unexpected_bytes : close_reason::peer_closed;
}

bool scripted_connection::watch_idle(std::weak_ptr<idle_observer> observer) {
  scripted_peer::state& s = *peer_->state_;
  const std::lock_guard lock(s.mutex);
  if (!s.can_watch) return false;
  s.observer = std::move(observer);
  s.watched = true;
  // A socket that was readable before is readable at once.
  if (s.hung_up) s.notify();
  return true;
}

}  // namespace redial::inline REDIAL_ABI::testing
