// SPDX-License-Identifier: Apache-2.0
#pragma once

// A service whose addresses come, go, die and fall silent, and a client that must not notice. All
// in simulated time, all decided by one seed.

#include <redial/client/client.hpp>
#include <redial/discovery/discovery.hpp>
#include <redial/testing/scripted_connector.hpp>
#include <redial/testing/scripted_dns.hpp>
#include <redial/testing/simulation.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {

/// What a history of churn came to.
struct churn_result {
  std::uint64_t calls = 0;
  std::uint64_t completions = 0;
  std::uint64_t failed = 0;
  std::uint64_t stale = 0;  ///< Calls on an address later than allowed after it left DNS.
  std::uint64_t moves = 0;  ///< Changes of the name's addresses.
  std::uint64_t deaths = 0;
  std::uint64_t outages = 0;
  duration
      latest_use{};  ///< Longest time from leaving DNS to the last call there, without an outage.
  std::uint64_t trace = 0;  ///< Digest of every call: when, where, how it ended.
  std::string first_failure;
};

class churn_world {
 public:
  explicit churn_world(std::uint64_t seed);
  ~churn_world();

  /// Lives through `time`, then shuts down and checks that nothing is left.
  churn_result live(duration time);

 private:
  struct backend {
    bool up = true;
    bool silent = false;
    bool in_dns = false;
    time_point left_dns{};
  };
  struct exchange;

  void publish();
  void call();
  void schedule_call();
  void schedule_event();
  void event();
  void move();
  void kill();
  void outage();
  void revive(int number);
  void end_outage();
  void check_use(const endpoint& where);
  void check_counts();
  [[nodiscard]] std::vector<int> members(bool in_dns, bool working) const;
  [[nodiscard]] bool is_working(int number) const;
  [[nodiscard]] endpoint where(int number) const;
  [[nodiscard]] duration between(duration low, duration high);
  void note(std::uint64_t word) noexcept;

  simulation sim_;
  scripted_dns dns_;
  std::shared_ptr<scripted_connector> net_;
  std::shared_ptr<discovery> names_;
  std::unique_ptr<basic_client<scripted_connection>> client_;
  std::map<int, backend> backends_;
  bool dns_down_ = false;
  time_point dns_good_since_{};
  time_point end_{};
  churn_result result_;
};

}  // namespace redial::inline REDIAL_ABI::testing
