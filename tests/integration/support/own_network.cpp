// SPDX-License-Identifier: Apache-2.0
#include "support/own_network.hpp"

#include "support/child_process.hpp"
#include "support/namespaces.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <system_error>

namespace redial::inline REDIAL_ABI::testing {

namespace {

// Runs in the child. What it returns is the reason why nothing could be tested.
std::string attempt(const std::function<void()>& body) {
  try {
    enter_own_network();
    body();
  } catch (const not_possible& e) {
    return e.what();
  } catch (const std::exception& e) {
    ADD_FAILURE() << "threw " << e.what();
  }
  return {};
}

[[noreturn]] void be_the_child(const std::function<void()>& body, int limit_s, int out) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::alarm(static_cast<unsigned>(limit_s));  // SIGALRM ends it
  const std::string reason = attempt(body);
  if (::write(out, reason.data(), reason.size()) < 0) ::_exit(2);
  std::fflush(nullptr);
  ::_exit(::testing::Test::HasFailure() ? 1 : 0);
}

std::string read_all(int fd) {
  std::string all;
  std::array<char, 512> some{};
  for (;;) {
    const ssize_t n = ::read(fd, some.data(), some.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return all;
    all.append(some.data(), static_cast<std::size_t>(n));
  }
}

bool has_nft() {
  static const bool found = !find_program({"/usr/sbin/nft", "/sbin/nft"}).empty();
  return found;
}

const char* nft_words(packet_fate fate) {
  switch (fate) {
    case packet_fate::drop:
      return "drop";
    case packet_fate::reset:
      return "reject with tcp reset";
    case packet_fate::unreachable:
      return "reject with icmp type host-unreachable";
  }
  return "";
}

const char* iptables_words(packet_fate fate) {
  switch (fate) {
    case packet_fate::drop:
      return "-j DROP";
    case packet_fate::reset:
      return "-j REJECT --reject-with tcp-reset";
    case packet_fate::unreachable:
      return "-j REJECT --reject-with icmp-host-unreachable";
  }
  return "";
}

}  // namespace

child_result run_in_own_network(const std::function<void()>& body, int limit_s) {
  std::fflush(nullptr);  // else the child would print it again
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return {false, std::strerror(errno)};
  const pid_t child = ::fork();
  if (child == 0) be_the_child(body, limit_s, ends[1]);
  ::close(ends[1]);
  // Whatever the child itself started may hold the pipe open, but never longer than it lives.
  const std::string reason = read_all(ends[0]);
  ::close(ends[0]);
  int status = -1;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return {WIFEXITED(status) && WEXITSTATUS(status) == 0, reason};
}

void enter_own_network() {
  try {
    enter_namespaces();
  } catch (const std::system_error& e) {
    throw not_possible(e.what());
  }
}

void set_system_value(const std::string& path, const std::string& value) {
  std::ofstream file(path);
  if (!(file << value << '\n' << std::flush)) throw not_possible("cannot write " + path);
}

void switch_ipv6_off() {
  for (const char* which : {"all", "default", "lo"}) {
    const std::string path = std::string("/proc/sys/net/ipv6/conf/") + which + "/disable_ipv6";
    if (::access(path.c_str(), F_OK) != 0) continue;  // a kernel without IPv6 is as good
    set_system_value(path, "1");
  }
}

void run_command(const std::string& line) {
  // Debian keeps administrators' programs out of other people's PATH.
  const int status = std::system(("PATH=$PATH:/usr/sbin:/sbin; " + line).c_str());
  if (status != 0) throw not_possible("the command failed: " + line);
}

void filter_packets_to(const std::string& address,
                       std::uint16_t port,
                       packet_fate fate,
                       int longer_than) {
  const std::string p = std::to_string(port);
  const std::string length = std::to_string(longer_than + 1);
  if (!has_nft()) {
    return run_command("iptables -A INPUT -p tcp -d " + address + " --dport " + p +
                       " -m length --length " + length + ": " + iptables_words(fate));
  }
  run_command(
      "nft 'add table ip redial; add chain ip redial in { type filter hook input priority 0; }; "
      "add rule ip redial in ip daddr " +
      address + " tcp dport " + p + " meta length >= " + length + " " + nft_words(fate) + "'");
}

void filter_no_packets() { run_command(has_nft() ? "nft flush ruleset" : "iptables -F INPUT"); }

}  // namespace redial::inline REDIAL_ABI::testing
