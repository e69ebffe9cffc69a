// SPDX-License-Identifier: Apache-2.0
// Ctrl-C is noted, and seen by whoever looks.

#include "support/interruption.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace redial::bench {
namespace {

TEST(InterruptionGuard, NotesASignalUntilItGoes) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    {
      const interruption_guard guard;
      EXPECT_NO_THROW(end_if_interrupted());
      std::raise(signal);
      EXPECT_TRUE(was_interrupted());
      EXPECT_THROW(end_if_interrupted(), interrupted);
    }
    EXPECT_FALSE(was_interrupted());
  }
}

TEST(InterruptionGuard, LeavesAnIgnoredSignalAlone) {
  const auto before = std::signal(SIGHUP, SIG_IGN);
  {
    const interruption_guard guard;
    std::raise(SIGHUP);
    EXPECT_FALSE(was_interrupted());
  }
  EXPECT_EQ(std::signal(SIGHUP, before), SIG_IGN);
}

}  // namespace
}  // namespace redial::bench
