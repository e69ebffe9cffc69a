// SPDX-License-Identifier: Apache-2.0
#pragma once

// One call's machine with a clock that the test moves.

#include <redial/core/error.hpp>

#include "client/attempt_machine.hpp"

#include <boost/asio/error.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace redial::inline REDIAL_ABI::detail {

using namespace std::chrono_literals;

struct fake_surroundings final : call_surroundings {
  bool spend_retry(time_point) override {
    ++asked;
    return granted;
  }
  bool spend_hedge(time_point) override {
    ++asked_for_hedge;
    return granted;
  }
  std::size_t usable_endpoints() override { return usable; }

  bool granted = true;
  int asked = 0;
  int asked_for_hedge = 0;
  std::size_t usable = 100;
};

class AttemptMachine : public ::testing::Test {
 protected:
  using move = call_step::move;

  AttemptMachine() {
    terms.deadline = now + 10s;
    terms.client_started = now;
    terms.seed = 7;
    policy.jitter = 0;
  }

  attempt_machine& machine() {
    if (!machine_) machine_.emplace(policy, terms);
    return *machine_;
  }
  call_step start() { return machine().start(now); }
  call_step lease(std::uint64_t id, bool reused = false) {
    attempt_place p;
    p.where = endpoint(boost::asio::ip::make_address_v4("10.0.0.1"), 80);
    p.where.port = static_cast<std::uint16_t>(id);
    p.endpoint_id = id;
    p.reused = reused;
    reused_ = reused;
    return machine().checked_out(p, now);
  }
  attempt_facts facts(error_code ec, bool sent = false, bool received = false) const {
    attempt_facts f;
    f.error = ec;
    f.sent = sent;
    f.received = received;
    f.reused = reused_;
    return f;
  }
  call_step done(const attempt_facts& f) {
    return machine().operation_done(machine().attempt(), f, around, now);
  }
  call_step done(error_code ec, bool sent = false, bool received = false) {
    return done(facts(ec, sent, received));
  }
  call_step fire(bool sent = false, bool received = false) {
    return machine().timer_fired(machine().due(now), facts({}, sent, received), around, now);
  }
  // From a failed attempt to the next one's connection, through the wait if there is one.
  void run_next(std::uint64_t id, bool reused = false) {
    if (!machine().is_waiting_for_checkout()) {
      now = machine().wake();
      ASSERT_EQ(fire().next, move::checkout);
    }
    ASSERT_EQ(lease(id, reused).next, move::run);
  }

  time_point now = time_point{} + 1h;
  retry_policy policy;
  call_terms terms;
  fake_surroundings around;

  static inline const error_code refused = boost::asio::error::connection_refused;
  static inline const error_code reset = boost::asio::error::connection_reset;
  static inline const error_code eof = boost::asio::error::eof;

 private:
  std::optional<attempt_machine> machine_;
  bool reused_ = false;
};

}  // namespace redial::inline REDIAL_ABI::detail
