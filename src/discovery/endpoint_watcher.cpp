// SPDX-License-Identifier: Apache-2.0
#include <redial/discovery/endpoint_watcher.hpp>

#include <mutex>
#include <stdexcept>
#include <utility>

namespace redial::inline REDIAL_ABI {

namespace detail {

/// The lock is never held while the handler runs or is destroyed.
class watcher_state {
 public:
  watcher_state(std::shared_ptr<discovery> names, endpoint_watcher::change_handler on_change)
      : names_(std::move(names)),
        on_change_(std::make_shared<const endpoint_watcher::change_handler>(std::move(on_change))) {
  }

  static void start(const std::shared_ptr<watcher_state>& self,
                    const target& t,
                    boost::asio::any_io_executor executor) {
    auto made = self->names_->subscribe(
        t, std::move(executor), [weak = std::weak_ptr(self)](snapshot_ptr s) {
          if (const auto alive = weak.lock()) alive->arrived(std::move(s));
        });
    const std::lock_guard lock(self->mutex_);
    self->subscription_ = std::move(made);
  }

  void close() noexcept {
    subscription ended;
    std::shared_ptr<const endpoint_watcher::change_handler> handler;
    {
      const std::lock_guard lock(mutex_);
      ended = std::move(subscription_);
      handler = std::move(on_change_);
    }
  }

  [[nodiscard]] snapshot_ptr current() const {
    const std::lock_guard lock(mutex_);
    return current_;
  }
  void report(const endpoint& where, endpoint_outcome outcome, bool last_usable) const {
    const std::lock_guard lock(mutex_);
    subscription_.report(where, outcome, last_usable);
  }
  void refresh() const {
    const std::lock_guard lock(mutex_);
    subscription_.refresh();
  }

 private:
  void arrived(snapshot_ptr next) {
    snapshot_ptr before;
    std::shared_ptr<const endpoint_watcher::change_handler> handler;
    {
      const std::lock_guard lock(mutex_);
      before = std::exchange(current_, next);
      handler = on_change_;
    }
    if (handler) (*handler)(delta_between(before, *next), next);
  }

  const std::shared_ptr<discovery> names_;
  mutable std::mutex mutex_;
  subscription subscription_;
  snapshot_ptr current_;
  std::shared_ptr<const endpoint_watcher::change_handler> on_change_;  // null: closed
};

}  // namespace detail

endpoint_watcher::endpoint_watcher(boost::asio::any_io_executor executor,
                                   std::shared_ptr<discovery> names,
                                   const target& t,
                                   change_handler on_change) {
  if (!names) throw std::invalid_argument("endpoint_watcher: names is null");
  if (!on_change) throw std::invalid_argument("endpoint_watcher: on_change is null");
  state_ = std::make_shared<detail::watcher_state>(std::move(names), std::move(on_change));
  detail::watcher_state::start(state_, t, std::move(executor));
}

endpoint_watcher::~endpoint_watcher() { close(); }

endpoint_watcher& endpoint_watcher::operator=(endpoint_watcher&& other) noexcept {
  if (this != &other) {
    close();
    state_ = std::move(other.state_);
  }
  return *this;
}

// Not valid on a moved-from object, as usual, but harmless.
snapshot_ptr endpoint_watcher::current() const { return state_ ? state_->current() : nullptr; }

void endpoint_watcher::report(const endpoint& where,
                              endpoint_outcome outcome,
                              bool last_usable) const {
  if (state_) state_->report(where, outcome, last_usable);
}

void endpoint_watcher::refresh() const {
  if (state_) state_->refresh();
}

void endpoint_watcher::close() noexcept {
  if (state_) state_->close();
}

}  // namespace redial::inline REDIAL_ABI
