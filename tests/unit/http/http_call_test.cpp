// SPDX-License-Identifier: Apache-2.0
#include "http/http_call.hpp"

#include <gtest/gtest.h>

namespace redial::detail {
namespace {

http_response status(std::uint16_t s) {
  http_response r;
  r.status = s;
  return r;
}

TEST(HttpCall, ALaterAttemptsResponseReplacesAnEarlierOnes) {
  http_call call({});
  call.keep(1, status(503), false);
  call.keep(2, status(502), false);
  call.keep(1, status(504), false);
  EXPECT_EQ(call.take()->status, 502);
  call.keep(3, status(200), true);
  EXPECT_FALSE(call.take()) << "who has taken it wants no other";
}

// Two attempts at once: the one that began later is told 503, the earlier one succeeds.
TEST(HttpCall, AResponseThatEndsTheCallIsNotReplacedByOneThatDoesNot) {
  http_call call({});
  call.keep(2, status(503), false);
  call.keep(1, status(200), true);
  call.keep(2, status(502), false);
  EXPECT_EQ(call.take()->status, 200);
}

// The call is over then, but its caller has not been called yet.
TEST(HttpCall, TheFirstOfTwoResponsesThatEndTheCallIsTheCalls) {
  http_call call({});
  call.keep(1, status(200), true);
  call.keep(2, status(404), true);
  EXPECT_EQ(call.take()->status, 200);
}

}  // namespace
}  // namespace redial::detail
