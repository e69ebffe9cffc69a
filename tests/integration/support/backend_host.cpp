// SPDX-License-Identifier: Apache-2.0
#include "support/backend_host.hpp"

#include "support/backend_process.hpp"
#include "support/own_network.hpp"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>

namespace redial::inline REDIAL_ABI::testing {

namespace {

std::string near_end(int number) { return "10.77." + std::to_string(number) + ".1"; }
std::string far_end(int number) { return "10.77." + std::to_string(number) + ".2"; }

// Runs in the machine's process.
[[noreturn]] void be_the_machine(int control,
                                 const std::string& service,
                                 const std::optional<certificate_files>& tls) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  try {
    enter_own_network();
    backend_process(control, backend_host::port, service, tls).run();
  } catch (const std::exception& e) {
    const std::string reason = std::string("!") + e.what() + "\n";
    if (::write(control, reason.data(), reason.size()) < 0) ::_exit(2);
  }
  ::_exit(1);
}

std::string read_line(int fd) {
  std::string line;
  char c = 0;
  for (;;) {
    const ssize_t n = ::read(fd, &c, 1);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) throw not_possible("a backend's process has ended");
    if (c == '\n') return line;
    line += c;
  }
}

// What the machine answers: a word, or `!` and why it could not.
std::string answer_of(int fd) {
  std::string line = read_line(fd);
  if (!line.empty() && line.front() == '!') throw not_possible(line.substr(1));
  return line;
}

}  // namespace

backend_host::backend_host(int number,
                           const std::optional<certificate_files>& tls,
                           const std::string& service)
    : number_(number) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    throw not_possible(std::string("socketpair: ") + std::strerror(errno));
  }
  pid_ = ::fork();
  if (pid_ == 0) {
    ::close(ends[0]);
    be_the_machine(ends[1], service, tls);
  }
  ::close(ends[1]);
  control_ = ends[0];
  try {
    answer_of(control_);  // it is there
    lay_cable();
  } catch (...) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    ::close(control_);
    throw;
  }
}

backend_host::~backend_host() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  ::close(control_);
}

void backend_host::lay_cable() {
  const std::string ours = "host" + std::to_string(number_);
  run_command("ip link add " + ours + " type veth peer name uplink netns " + std::to_string(pid_) +
              " && ip address add " + near_end(number_) + "/30 dev " + ours + " && ip link set " +
              ours + " up");
  ask("run ip address add " + far_end(number_) +
      "/30 dev uplink && ip link set uplink up && ip route add default via " + near_end(number_));
}

void backend_host::take_address(const std::string& address) {
  ask("run ip address add " + address + "/32 dev lo");
  run_command("ip route replace " + address + "/32 via " + far_end(number_));
}

void backend_host::behave(backend_manner manner) {
  ask("behave " + std::to_string(static_cast<int>(manner)));
}
void backend_host::stop() { ask("stop"); }
void backend_host::start() { ask("start"); }
void backend_host::black_hole() { ask("black_hole"); }
std::size_t backend_host::requests() { return std::stoul(ask("requests")); }
std::size_t backend_host::accepted() { return std::stoul(ask("accepted")); }

std::string backend_host::ask(const std::string& what) {
  const std::string line = what + "\n";
  if (::send(control_, line.data(), line.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(line.size())) {
    throw not_possible("a backend's process does not listen");
  }
  return answer_of(control_);
}

}  // namespace redial::inline REDIAL_ABI::testing
