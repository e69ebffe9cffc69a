// SPDX-License-Identifier: Apache-2.0
#pragma once

// A real discovery with c-ares, a name server that misbehaves, and what every soft failure has to
// look like from above.

#include <redial/discovery/discovery.hpp>
#include <redial/discovery/endpoint_watcher.hpp>
#include <redial/testing/dns_server.hpp>

#include "support/event_wait.hpp"

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {

using namespace std::chrono_literals;
using texts = std::vector<std::string>;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

inline address ip(const std::string& text) { return boost::asio::ip::make_address(text); }

/// Refreshes 50 times a second, backs off from 10 to 50 ms.
[[nodiscard]] discovery_options quick_options(duration query_timeout = 5s);

/// What DNS said, as the discovery understood it.
class answer_log final : public event_listener {
 public:
  struct entry {
    answer what;
    time_point at{};
  };
  void on_answer(const answer_event& e) override { all.push_back({e.received, clock::now()}); }

  [[nodiscard]] std::size_t count(const std::string& name, record_type type) const;
  [[nodiscard]] std::size_t count(record_type type, answer_outcome o, std::size_t from = 0) const;
  /// Answers that are not definite.
  [[nodiscard]] std::size_t failures(record_type type, std::size_t from = 0) const;
  /// The last one for a question; empty when there is none.
  [[nodiscard]] std::optional<answer> last(const std::string& name, record_type type) const;

  std::vector<entry> all;
};

class fault_world;

/// Somebody who watches one target, and writes down all that he is told.
class view {
 public:
  view(fault_world& world, const std::string& target_text);

  [[nodiscard]] const snapshot& now() const { return *seen.back(); }
  [[nodiscard]] texts endpoints() const { return seen.empty() ? texts{} : texts_of(*seen.back()); }
  /// Waits until these are the endpoints, sorted. False when they do not come.
  [[nodiscard]] bool becomes(const texts& wanted);
  /// Every snapshot since the `from`th had these endpoints and no others.
  void expect_always(const texts& wanted, std::size_t from = 0) const;
  /// No snapshot ever had an endpoint that is not one of these.
  void expect_only(const texts& allowed) const;
  [[nodiscard]] std::size_t removals() const;

  [[nodiscard]] static texts texts_of(const snapshot& s);

  std::vector<snapshot_ptr> seen;
  std::vector<endpoint_delta> deltas;

 private:
  fault_world& world_;
  endpoint_watcher watcher_;
};

class fault_world {
 public:
  explicit fault_world(duration query_timeout = 5s);
  ~fault_world();
  fault_world(const fault_world&) = delete;
  fault_world& operator=(const fault_world&) = delete;

  /// Makes the discovery when it is the first one: options count up to then.
  view& watch(const std::string& target_text = "tcp://api.test:80");
  const std::shared_ptr<discovery>& names();

  /// Runs handlers until `happened()`. False when that takes too long; the limit is for broken
  /// code.
  template <class Happened>
  [[nodiscard]] bool wait(Happened happened) {
    return run_until(io, [&] {
      ++turns;
      return happened();
    });
  }
  /// Waits for `count` more definite answers of A questions for `name`.
  [[nodiscard]] bool more_answers(std::size_t count, const std::string& name = "api.test");
  [[nodiscard]] explanation explain(const std::string& target_text = "tcp://api.test:80");

  dns_server dns;
  discovery_options options;
  boost::asio::io_context io{1};
  std::shared_ptr<answer_log> answers = std::make_shared<answer_log>();
  std::size_t turns = 0;  ///< Handlers that ran, about.

 private:
  std::shared_ptr<discovery> names_;
  std::vector<std::unique_ptr<view>> views_;
};

/// A way in which api.test and its server fail, softly: the last good endpoints stay, are marked
/// stale, and are asked for again with backoff; nothing that came with the failure is believed.
struct soft_fault {
  soft_fault() = default;
  explicit soft_fault(std::function<void(dns_server&)> how) : begin(std::move(how)) {}

  std::function<void(dns_server&)> begin;
  /// Besides the end of all manners and hooks of api.test, silence and TCP tricks.
  std::function<void(dns_server&)> end = [](dns_server&) {};
  std::function<void(discovery_options&)> prepare = [](discovery_options&) {};
  /// For faults that only our own deadline ends, or that end so with some c-ares versions.
  duration query_timeout = 200ms;
  /// Must not need a deadline: `query_timeout` is a minute then.
  bool at_once = false;
  std::size_t failures = 3;  ///< To be seen, for each family.
};

/// What a soft fault cost, summed over all its worlds.
struct fault_cost {
  std::size_t turns = 0;
  std::size_t failures = 0;
};

/// The fault while the name is known, and at a cold start; then it ends, and all is well.
fault_cost expect_soft_failure(const soft_fault& fault);
/// For a response to every question that is what `hook` makes of it.
fault_cost expect_soft_failure(const dns_raw_hook& hook, std::size_t failures = 3);
/// For a manner.
fault_cost expect_soft_failure(const dns_manner& manner);

/// api.test as it is when all is well.
void set_good(dns_server& dns);
inline const texts good_endpoints{"127.0.0.2:80", "127.0.0.3:80", "[fd00::2]:80"};

}  // namespace redial::inline REDIAL_ABI::testing
