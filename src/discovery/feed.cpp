// SPDX-License-Identifier: Apache-2.0

#include <redial/discovery/feed.hpp>

#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

namespace redial::inline REDIAL_ABI {

namespace {

class discovery_feed final : public endpoint_feed {
 public:
  discovery_feed(std::shared_ptr<discovery> names, const target& t)
      : names_(std::move(names)), target_(t) {}

  const std::string& name() const noexcept override { return target_.text(); }

  void start(boost::asio::any_io_executor executor, handler on_snapshot) override {
    const std::lock_guard lock(mutex_);
    subscription_ = names_->subscribe(target_, std::move(executor), std::move(on_snapshot));
  }

  void stop() noexcept override {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    subscription_.cancel();
  }

  void report(const endpoint& where, endpoint_outcome outcome, bool last_usable) override {
    const std::lock_guard lock(mutex_);
    if (!stopped_) subscription_.report(where, outcome, last_usable);
  }

  void refresh() override {
    const std::lock_guard lock(mutex_);
    if (!stopped_) subscription_.refresh();
  }

 private:
  const std::shared_ptr<discovery> names_;
  const target target_;
  // The first snapshot may arrive, and be answered by a report, while `start` is still busy. The
  // discovery only posts, so nothing of ours runs under this lock.
  std::mutex mutex_;
  subscription subscription_;
  bool stopped_ = false;
};

}  // namespace

std::unique_ptr<endpoint_feed> make_feed(std::shared_ptr<discovery> names, const target& t) {
  if (!names) throw std::invalid_argument("make_feed: names is null");
  return std::make_unique<discovery_feed>(std::move(names), t);
}

}  // namespace redial::inline REDIAL_ABI
