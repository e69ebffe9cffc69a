// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a pool is made of when only the pool itself shall cost anything.

#include <redial/core/time.hpp>
#include <redial/ports/connector.hpp>
#include <redial/ports/scheduler.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>

#include <memory>
#include <utility>

namespace redial::bench {

/// A connection to nowhere.
class nothing final : public pooled_connection {
 public:
  explicit nothing(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}
  void close() noexcept override {}
  [[nodiscard]] bool quiet() noexcept override { return true; }
  bool watch_idle(std::weak_ptr<idle_observer>) override { return true; }
  [[nodiscard]] boost::asio::any_io_executor get_executor() const override { return executor_; }

 private:
  boost::asio::any_io_executor executor_;
};

class instant_connector final : public connector {
 public:
  std::shared_ptr<connect_operation> open(const connect_request& request, handler done) override {
    boost::asio::post(request.executor, [done = std::move(done), executor = request.executor] {
      done({}, std::make_unique<nothing>(executor));
    });
    return nullptr;
  }
};

/// Real time without timers: nobody waits for anything here.
class bare_clock final : public scheduler {
 public:
  [[nodiscard]] time_point now() const noexcept override { return clock::now(); }
  void arm(timer&, time_point) override {}
  void disarm(timer&) noexcept override {}
};

}  // namespace redial::bench
