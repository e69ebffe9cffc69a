// SPDX-License-Identifier: Apache-2.0
// What a forked child must not do, debug builds catch.

#include "core/fork_check.hpp"
#include "pool_world.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>

#ifdef REDIAL_FORK_CHECK

namespace redial::inline REDIAL_ABI::testing {
namespace {

enum class child_end { returned, aborted, other };

/// Runs `use` in a child that ends without running anything else.
template <class Use>
child_end in_child(Use use) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    std::signal(SIGABRT, SIG_DFL);
    if (std::freopen("/dev/null", "w", stderr) == nullptr) ::_exit(1);  // the assertion's words
    use();
    ::_exit(0);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) == -1 && errno == EINTR) {
  }
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) return child_end::aborted;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? child_end::returned : child_end::other;
}

using Fault134Fork = PoolWorld;

TEST_F(Fault134Fork, AChildThatLeavesThePoolAloneIsFine) {
  start({"10.0.0.1"});
  EXPECT_EQ(in_child([] {}), child_end::returned);
  EXPECT_TRUE(take());  // and so is the parent
}

TEST_F(Fault134Fork, EveryUseInAChildIsCaught) {
  start({"10.0.0.1"});
  EXPECT_EQ(in_child([&] { (void)pool->try_checkout(); }), child_end::aborted);
  EXPECT_EQ(in_child([&] { pool->async_checkout([](error_code, scripted_lease) {}); }),
            child_end::aborted);
  EXPECT_EQ(in_child([&] { pool->async_drain(sim.now(), [](error_code) {}); }), child_end::aborted);
  EXPECT_EQ(in_child([&] { pool->reset(); }), child_end::aborted);
  EXPECT_EQ(in_child([&] { pool->close(); }), child_end::aborted);
  EXPECT_EQ(in_child([&] { pool.reset(); }), child_end::aborted);
  EXPECT_TRUE(take());
}

TEST_F(Fault134Fork, AChildMayHaveAPoolOfItsOwn) {
  EXPECT_EQ(in_child([&] {
              start({"10.0.0.1"});
              if (!take()) ::_exit(1);
              pool.reset();
            }),
            child_end::returned);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing

#endif
