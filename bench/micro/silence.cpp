// SPDX-License-Identifier: Apache-2.0
// Strict seccomp: a thread that makes any system call but read, write and exit is killed
// (seccomp(2)).

#include "micro/fixtures.hpp"
#include "micro/subject.hpp"

#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <functional>

namespace redial::micro {

namespace {

enum class fate { silent, killed, not_confined };

// In a child, which ends with it; what it needs is made there, too.
fate confine(const std::function<std::function<void()>()>& prepare) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto act = prepare();
    act();  // the first time may be another way
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) ::syscall(SYS_exit, 2);
    act();
    ::syscall(SYS_exit, 0);  // `_exit` would be another call, which kills
  }
  int status = -1;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return fate::killed;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? fate::silent : fate::not_confined;
}

}  // namespace

silence check_checkout_makes_no_system_call(std::size_t times) {
  const auto asks_its_number = [] { return [] { ::syscall(SYS_getppid); }; };
  if (confine(asks_its_number) != fate::killed) {
    return {false, "strict seccomp does not confine a child here", false};
  }
  const auto checks_out = [times] {
    return [times, warm = std::make_shared<warm_pool>(100)] {
      for (std::size_t i = 0; i < times; ++i) {
        auto l = warm->pool.try_checkout();
        consume(&**l);
      }
    };
  };
  // One that fails some other way is not silent either.
  return {true, {}, confine(checks_out) == fate::silent};
}

}  // namespace redial::micro
