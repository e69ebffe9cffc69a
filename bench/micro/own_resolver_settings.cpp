// SPDX-License-Identifier: Apache-2.0
// getaddrinfo asks port 53 of what /etc/resolv.conf names, and nothing else: so the process gets a
// loopback where that port is free, and an /etc/resolv.conf of its own. Outside nothing changes.

#include "micro/subject.hpp"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

namespace redial::micro {

namespace {

bool write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  return static_cast<bool>(file << text << std::flush);
}

// Whoever is not root is it in a user namespace, where the system permits those.
bool leave_the_common_world() {
  if (::unshare(CLONE_NEWNS | CLONE_NEWNET) == 0) return true;
  const std::string user = std::to_string(::getuid());
  const std::string group = std::to_string(::getgid());
  return ::unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) == 0 &&
         write_file("/proc/self/setgroups", "deny") &&
         write_file("/proc/self/uid_map", "0 " + user + " 1") &&
         write_file("/proc/self/gid_map", "0 " + group + " 1");
}

bool bring_loopback_up() {
  const int s = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq lo{};
  std::strncpy(lo.ifr_name, "lo", sizeof lo.ifr_name - 1);
  lo.ifr_flags = IFF_UP | IFF_RUNNING;
  const bool up = ::ioctl(s, SIOCSIFFLAGS, &lo) == 0;
  ::close(s);
  return up;
}

// The file in its place goes away at once; what was mounted stays.
bool put_in_place_of(const char* path, const std::string& text) {
  std::array<char, 32> name{"/tmp/redial-bench-XXXXXX"};
  const int fd = ::mkstemp(name.data());
  if (fd < 0) return false;
  ::close(fd);
  const bool done =
      write_file(name.data(), text) && ::mount(name.data(), path, nullptr, MS_BIND, nullptr) == 0;
  const int why = errno;
  ::unlink(name.data());
  errno = why;
  return done;
}

}  // namespace

std::string enter_own_resolver_settings() {
  const auto failed = [](const char* what) {
    return std::string(what) + ": " + std::strerror(errno);
  };
  if (!leave_the_common_world()) return failed("no namespaces of its own");
  if (!bring_loopback_up()) return failed("no loopback of its own");
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return failed("mount");
  if (!put_in_place_of("/etc/resolv.conf", "nameserver 127.0.0.1\n")) {
    return failed("/etc/resolv.conf");
  }
  if (!put_in_place_of("/etc/nsswitch.conf", "hosts: files dns\n")) {
    return failed("/etc/nsswitch.conf");
  }
  return {};
}

}  // namespace redial::micro
