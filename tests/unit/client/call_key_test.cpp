// SPDX-License-Identifier: Apache-2.0
// Calls with a key: where they go, and where their retries go.

#include "client_world.hpp"

#include <set>

namespace redial::inline REDIAL_ABI::testing {
namespace {

struct CallKey : ClientWorld {
  CallKey() : ClientWorld("static://10.0.0.1:80,10.0.0.2:80,10.0.0.3:80,10.0.0.4:80") {
    options.pool.balance = balancing::consistent_hash;
    options.pool.health.consecutive_failures = 0;  // the attempts that fail here eject nobody
  }
  /// Where the attempts of one call went, of which all but the last fail unsent.
  std::vector<endpoint> attempts(endpoint_key key, int n) {
    call_options o(5s);
    o.key = key;
    const auto result = call(o);
    std::vector<endpoint> seen;
    for (int i = 1; i <= n; ++i) {
      sim.advance(1s);
      seen.push_back(last().where);
      last().complete(i < n ? error_code(errc::not_sent) : error_code());
    }
    sim.settle();
    EXPECT_FALSE(result->error);
    return seen;
  }
};

TEST_F(CallKey, EqualKeysMeetAtOneEndpoint) {
  started();
  std::set<endpoint> all;
  for (int k = 0; k < 30; ++k) {
    const auto first = attempts(k, 1);
    EXPECT_EQ(attempts(k, 1), first) << k;
    all.insert(first.front());
  }
  EXPECT_EQ(all.size(), 4U);
}

TEST_F(CallKey, RetriesOfEqualKeysGoTheSameWay) {
  started();
  for (const char* key : {"a", "b", "c", "d"}) {
    const auto first = attempts(key, 3);
    EXPECT_EQ(std::set<endpoint>(first.begin(), first.end()).size(), 3U);
    EXPECT_EQ(attempts(key, 3), first) << key;
  }
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
