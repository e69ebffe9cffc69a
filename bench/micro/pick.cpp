// SPDX-License-Identifier: Apache-2.0
// The choice alone, and what the other policies cost beside the default one.

#include "endpoints/selector.hpp"
#include "micro/fixtures.hpp"
#include "micro/subject.hpp"
#include "micro/timed.hpp"

#include <deque>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace redial::micro {

namespace {

/// Endpoints with something idle each.
struct choice_among {
  explicit choice_among(std::size_t n) : entries(n), choice(1) {
    for (auto& e : entries) {
      e.idle = 1;
      e.connections = 1;
      choice.admit(e);
    }
  }
  std::deque<detail::endpoint_entry> entries;
  detail::selector choice;
};

subject pick_among(std::size_t n) {
  return {"pick/" + std::to_string(n),
          [n] {
            return [c = std::make_shared<choice_among>(n)](std::size_t times) {
              return timed([&] {
                for (std::size_t i = 0; i < times; ++i) consume(c->choice.pick_idle());
              });
            };
          },
          false};
}

class any_of_them final : public endpoint_chooser {
 public:
  std::size_t choose(const choice_request& r) noexcept override {
    return r.random % r.among.size();
  }
};

/// With a key that differs each time; policies that look at none ignore it.
subject by_policy(const std::string& name, int endpoints, const pool_options& o, int weights = 1) {
  return {"policy/" + name + "/" + std::to_string(endpoints),
          [=] {
            return [warm = std::make_shared<warm_pool>(endpoints, weights, o),
                    other = std::make_shared<second_thread>(),
                    by_key = checkout_options(),
                    key = std::uint64_t{0}](std::size_t n) mutable {
              return timed([&] {
                for (std::size_t i = 0; i < n; ++i) {
                  by_key.key = ++key;
                  auto l = warm->pool.try_checkout(by_key);
                  if (!l) throw std::logic_error("found no idle connection");
                  consume(&**l);
                }
              });
            };
          },
          false};
}

}  // namespace

std::vector<comparison> pick_comparisons() {
  std::vector<comparison> all;
  comparison many{"pick", "CPU time, 1000 endpoints : 3", pick_among(1000), pick_among(3)};
  many.at_most = 2.0;
  all.push_back(std::move(many));
  pool_options in_turn = warm_pool::options();
  in_turn.balance = balancing::round_robin;
  pool_options hashed = warm_pool::options();
  hashed.balance = balancing::consistent_hash;
  pool_options chosen = warm_pool::options();
  chosen.chooser = std::make_shared<any_of_them>();
  for (const int n : {3, 100, 1000}) {
    const subject usual = by_policy("least_loaded", n, warm_pool::options());
    const auto beside = [&](const std::string& policy, subject s) {
      all.push_back({policy + ", " + std::to_string(n) + " endpoints",
                     "CPU time, it : least loaded",
                     std::move(s),
                     usual});
    };
    beside("weighted", by_policy("weighted", n, warm_pool::options(), 4));
    beside("round robin", by_policy("round_robin", n, in_turn));
    beside("consistent hash", by_policy("consistent_hash", n, hashed));
    beside("weighted consistent hash", by_policy("consistent_hash_weighted", n, hashed, 4));
    beside("own chooser", by_policy("chooser", n, chosen));
  }
  return all;
}

}  // namespace redial::micro
