// SPDX-License-Identifier: Apache-2.0
#pragma once

// A discovery in simulated time, and subscribers that write down what they are told.

#include <redial/discovery/discovery.hpp>
#include <redial/testing/event_recorder.hpp>
#include <redial/testing/scripted_dns.hpp>
#include <redial/testing/simulation.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {

using namespace std::chrono_literals;

/// A subscriber on some executor.
class reader {
 public:
  reader(discovery& d, std::string_view target_text, boost::asio::any_io_executor executor) {
    sub = d.subscribe(target(target_text), std::move(executor), [this](snapshot_ptr s) {
      got.push_back(std::move(s));
    });
  }

  [[nodiscard]] std::vector<std::string> endpoints() const {
    std::vector<std::string> all;
    if (got.empty()) return all;
    for (const auto& e : got.back()->endpoints) all.push_back(to_string(e.where));
    return all;
  }
  [[nodiscard]] bool in_order() const {
    return std::is_sorted(got.begin(), got.end(), [](const auto& a, const auto& b) {
      return a->generation <= b->generation;
    });
  }

  std::vector<snapshot_ptr> got;
  subscription sub;
};

struct discovery_world {
  explicit discovery_world(std::uint64_t seed = 1) : sim(seed), dns(sim) {
    options.watch.seed = seed;
    options.listener = events;
    dns.latency(1ms);
  }

  std::shared_ptr<discovery> make() {
    return discovery::create(sim.executor(), options, dns.share(), sim.time());
  }

  simulation sim;
  scripted_dns dns;
  std::shared_ptr<event_recorder> events = std::make_shared<event_recorder>(sim.time());
  discovery_options options;
};

using texts = std::vector<std::string>;

}  // namespace redial::inline REDIAL_ABI::testing
