// SPDX-License-Identifier: Apache-2.0
#include "support/own_world.hpp"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

namespace redial::bench {

namespace {

[[noreturn]] void refuse(const std::string& what, int error) {
  throw not_permitted(what + ": " + std::generic_category().message(error));
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::trunc);
  if (!(file << text << std::flush)) throw not_permitted("cannot write " + path);
}

// user_namespaces(7): whoever has no identity there may do nothing.
void unshare_as_user() {
  const auto user = std::to_string(::getuid());
  const auto group = std::to_string(::getgid());
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) != 0) refuse("namespaces", errno);
  write_file("/proc/self/setgroups", "deny\n");
  write_file("/proc/self/uid_map", "0 " + user + " 1\n");
  write_file("/proc/self/gid_map", "0 " + group + " 1\n");
}

void bring_loopback_up() {
  const int s = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq lo{};
  std::strncpy(lo.ifr_name, "lo", sizeof lo.ifr_name - 1);
  lo.ifr_flags = IFF_UP | IFF_RUNNING;
  const int up = ::ioctl(s, SIOCSIFFLAGS, &lo);
  const int error = errno;
  ::close(s);
  if (up != 0) refuse("loopback", error);
}

void enter_namespaces() {
  if (::unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) unshare_as_user();
  bring_loopback_up();
}

// There is no way back from a network whose loopback stays down, and some systems let anybody make
// one but give no rights in it (Ubuntu 24.04): a child goes first.
void send_a_child_ahead() {
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      enter_namespaces();
      ::_exit(0);
    } catch (const not_permitted&) {
      ::_exit(1);
    }
  }
  int status = -1;
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0) throw not_permitted("a network of its own: not permitted");
}

}  // namespace

void enter_own_network() {
  send_a_child_ahead();
  enter_namespaces();
}

void keep_mounts_to_ourselves() {
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) refuse("mounts", errno);
}

void replace_file(const std::string& path, const std::string& own, const std::string& text) {
  write_file(own, text);
  if (::mount(own.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0) refuse(path, errno);
}

}  // namespace redial::bench
