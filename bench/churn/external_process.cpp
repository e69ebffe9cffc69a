// SPDX-License-Identifier: Apache-2.0
#include "churn/external_process.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

extern char** environ;

namespace redial::churn {

namespace {

std::vector<std::string> environment_with(const environment_variables& variables) {
  std::vector<std::string> all;
  for (const auto& [name, value] : variables) all.push_back(fmt::format("{}={}", name, value));
  for (char** e = environ; *e != nullptr; ++e) {
    const std::string text = *e;
    bool replaced = false;
    for (const auto& v : variables) replaced = replaced || text.starts_with(v.first + "=");
    if (!replaced) all.push_back(text);
  }
  return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (auto& t : texts) pointers.push_back(t.data());
  pointers.push_back(nullptr);
  return pointers;
}

pid_t spawn(const std::string& command, const environment_variables& variables, int socket) {
  std::vector<std::string> args{"sh", "-c", command};
  auto environment = environment_with(variables);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, socket, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, socket, STDOUT_FILENO);
#if defined(__GLIBC__)
#if __GLIBC_PREREQ(2, 34)
  // Asio opens its sockets inheritable: a copy there would keep a connection open that a client in
  // this process has closed.
  ::posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
#endif
#endif
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
  // What we ignore, it would ignore, too.
  sigset_t usual;
  ::sigemptyset(&usual);
  ::sigaddset(&usual, SIGPIPE);
  ::posix_spawnattr_setsigdefault(&attributes, &usual);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid,
                                  "/bin/sh",
                                  &actions,
                                  &attributes,
                                  pointers_to(args).data(),
                                  pointers_to(environment).data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::system_error(error, std::generic_category(), command);
  return pid;
}

// Its status is not taken yet: until then nobody else gets its number, nor that of its group.
void await_end(pid_t pid, duration limit) noexcept {
  const auto until = clock::now() + limit;
  for (;;) {
    siginfo_t info{};
    const auto result = ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT | WNOHANG);
    if (result == 0 && info.si_pid != 0) return;
    if (result != 0 && errno != EINTR) return;
    if (clock::now() >= until) return;
    ::poll(nullptr, 0, 2);
  }
}

std::string describe(int status) {
  if (WIFEXITED(status)) return fmt::format("exit status {}", WEXITSTATUS(status));
  return fmt::format("signal {}", WTERMSIG(status));
}

}  // namespace

external_process::external_process(const std::string& command,
                                   const environment_variables& variables) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw std::system_error(errno, std::generic_category(), command);
  }
  socket_ = ends[0];
  try {
    pid_ = spawn(command, variables, ends[1]);
  } catch (...) {
    ::close(ends[0]);
    ::close(ends[1]);
    throw;
  }
  ::close(ends[1]);
}

external_process::~external_process() {
  if (socket_ >= 0) ::close(socket_);
  end(duration::zero());
}

std::string external_process::end(duration limit) noexcept {
  if (pid_ <= 0) return ended_;
  await_end(pid_, limit);
  ::kill(-pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  ended_ = describe(status);
  return ended_;
}

}  // namespace redial::churn
