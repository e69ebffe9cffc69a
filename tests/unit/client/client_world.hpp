// SPDX-License-Identifier: Apache-2.0
#pragma once

// A client in simulated time whose operations are completed by the test.

#include <redial/client/client.hpp>
#include <redial/discovery/discovery.hpp>
#include <redial/testing/scripted_connector.hpp>
#include <redial/testing/scripted_dns.hpp>
#include <redial/testing/simulation.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {

using namespace std::chrono_literals;
using scripted_client = basic_client<scripted_connection>;

/// One operation that was started, in the hands of the test.
struct started_operation {
  attempt* view = nullptr;
  scripted_connection* connection = nullptr;
  std::uint32_t number = 0;
  endpoint where;
  std::optional<operation_handler> handler;
  int cancelled = 0;  // times its slot was emitted
  std::shared_ptr<scripted_peer> peer;

  void complete(error_code ec) {
    auto h = std::move(*handler);
    handler.reset();
    h(ec);
  }
};

/// How one call ended.
struct call_result {
  int completions = 0;
  error_code error;
  call_history history;
  time_point at{};
};

class ClientWorld : public ::testing::Test {
 protected:
  explicit ClientWorld(const std::string& target_text = "static://10.0.0.1:80,10.0.0.2:80")
      : where(target_text) {
    options.pool.seed = 1;
    options.retry.jitter = 0;
  }
  ~ClientWorld() override {
    client.reset();
    if (names) names->close();
    sim.settle();
    operations.clear();
    sim.settle();
  }

  scripted_client& start() {
    discovery_options d;
    d.watch.seed = 1;
    names = discovery::create(sim.executor(), d, dns.share(), sim.time());
    client.emplace(sim.executor(), names, where, net, options, sim.time());
    return *client;
  }
  // Long enough for the first connections to be open.
  scripted_client& started() {
    start();
    sim.advance(1s);
    return *client;
  }

  // The operation that leaves everything to the test. `kept` tells when it is destroyed.
  auto operation() {
    return [this, token = kept](attempt& a, scripted_connection& c, operation_handler done) {
      auto op = std::make_unique<started_operation>();
      op->view = &a;
      op->connection = &c;
      op->number = a.number();
      op->where = a.where();
      op->peer = std::shared_ptr<scripted_peer>(keep_alive(c), &c.peer());
      auto* raw = op.get();
      auto slot = done.get_cancellation_slot();
      slot.assign([raw](boost::asio::cancellation_type t) {
        if (t == boost::asio::cancellation_type::terminal) ++raw->cancelled;
      });
      op->handler.emplace(std::move(done));
      operations.push_back(std::move(op));
      if (on_start) on_start(*operations.back());
    };
  }

  std::shared_ptr<call_result> call(call_options o = {}) {
    auto result = std::make_shared<call_result>();
    client->async_call(operation(), o, receiver(result));
    return result;
  }
  std::shared_ptr<call_result> cancellable_call(boost::asio::cancellation_signal& signal,
                                                call_options o = {}) {
    auto result = std::make_shared<call_result>();
    client->async_call(
        operation(), o, boost::asio::bind_cancellation_slot(signal.slot(), receiver(result)));
    return result;
  }
  std::function<void(error_code, call_history)> receiver(std::shared_ptr<call_result> result) {
    return [this, result = std::move(result)](error_code ec, call_history h) {
      ++result->completions;
      result->error = ec;
      result->history = std::move(h);
      result->at = sim.now();
    };
  }
  started_operation& last() { return *operations.back(); }

  simulation sim;
  scripted_dns dns{sim};
  std::shared_ptr<scripted_connector> net = std::make_shared<scripted_connector>(sim);
  target where;
  client_options options;
  std::shared_ptr<discovery> names;
  std::optional<scripted_client> client;
  std::shared_ptr<int> kept = std::make_shared<int>();  // one reference per living operation
  std::vector<std::unique_ptr<started_operation>> operations;
  std::function<void(started_operation&)> on_start;

 private:
  // The far end of an open connection, which outlives it.
  std::shared_ptr<scripted_peer> keep_alive(const scripted_connection& c) const {
    for (auto& p : net->peers()) {
      if (p.get() == &c.peer()) return p;
    }
    return nullptr;
  }
};

}  // namespace redial::inline REDIAL_ABI::testing
