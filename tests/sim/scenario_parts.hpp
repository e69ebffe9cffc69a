// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a scenario knows by itself: what the pool's connector, prober and listener have seen. The
// invariants compare it with what the pool says.

#include <redial/core/events.hpp>
#include <redial/pool/health_probe.hpp>
#include <redial/testing/scripted_connector.hpp>
#include <redial/testing/simulation.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace redial::inline REDIAL_ABI::testing {

/// Opens scripted connections and remembers what the pool was told about them.
class witnessed_connector final : public connector {
 public:
  explicit witnessed_connector(simulation& sim);

  std::shared_ptr<connect_operation> open(const connect_request& request, handler done) override;

  [[nodiscard]] scripted_connector& script() const noexcept { return *inner_; }
  /// When the pool was given this connection; `time_point::min()`: never.
  [[nodiscard]] time_point given_at(std::uint64_t number) const;
  /// Open or being opened, without those that the pool has given up and that still go on.
  [[nodiscard]] std::size_t alive() const;
  /// When the pool was last told that somebody else answers at `where`; `time_point::min()`: never.
  [[nodiscard]] time_point stranger_at(const endpoint& where) const;
  /// The same of any failure to connect.
  [[nodiscard]] time_point failed_at(const endpoint& where) const;

 private:
  struct memory {
    std::map<std::uint64_t, time_point> given;
    std::map<endpoint, time_point> strangers;
    std::map<endpoint, time_point> failures;
    std::size_t abandoned = 0;
  };
  class operation;

  simulation& sim_;
  std::shared_ptr<scripted_connector> inner_;
  std::shared_ptr<memory> memory_ = std::make_shared<memory>();
};

/// What a prober says of an endpoint.
enum class probe_answer { well, sick, silent };

class witnessed_probe final : public health_probe {
 public:
  using oracle = std::function<probe_answer(const endpoint&)>;
  witnessed_probe(simulation& sim, oracle says) : sim_(sim), says_(std::move(says)) {}

  void check(const probe_request& request, handler done) override;
  /// When the last check passed; `time_point::min()`: none did.
  [[nodiscard]] time_point passed_at(const endpoint& where) const;

 private:
  simulation& sim_;
  oracle says_;
  std::shared_ptr<std::map<endpoint, time_point>> passed_ =
      std::make_shared<std::map<endpoint, time_point>>();
};

/// What was last heard of names, from the answers themselves.
class answer_witness final : public event_listener {
 public:
  explicit answer_witness(simulation& sim) : sim_(sim) {}
  void on_answer(const answer_event& e) override;

  /// False after a negative answer, too.
  [[nodiscard]] bool lists_any(const std::string& name) const {
    const auto of = listed_.find(name);
    return of != listed_.end() && !of->second.empty();
  }
  /// From when on `a` was in all definite answers for `name`; `time_point::max()`: it was not in
  /// the last one.
  [[nodiscard]] time_point listed_since(const std::string& name, const address& a) const;

 private:
  simulation& sim_;
  std::map<std::string, std::map<address, time_point>> listed_;
};

/// Notes when endpoints went out of use.
class witness final : public event_listener {
 public:
  explicit witness(simulation& sim) : sim_(sim) {}

  void on_endpoint(const endpoint_event& e) override;
  void on_panic(const panic_event& e) override;
  void on_call(const call_event&) override { ++calls_ended; }
  /// `where` went out of use at this very instant.
  [[nodiscard]] bool went_out_now(const endpoint& where) const;

  /// Ejected, or found to be somebody else, since `t`.
  [[nodiscard]] bool fell_ill_since(const endpoint& where, time_point t) const {
    const auto found = ill_.find(where);
    return found != ill_.end() && found->second >= t;
  }

  std::uint64_t calls_ended = 0;
  std::map<endpoint_change, std::uint64_t> changes;
  std::uint64_t panics = 0;

 private:
  simulation& sim_;
  std::map<endpoint, time_point> out_;
  std::map<endpoint, time_point> ill_;
  time_point panic_over_ = time_point::min();
};

}  // namespace redial::inline REDIAL_ABI::testing
