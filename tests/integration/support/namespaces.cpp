// SPDX-License-Identifier: Apache-2.0
#include "support/namespaces.hpp"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

namespace redial::inline REDIAL_ABI::testing {

namespace {

void require(bool worked, const char* what) {
  if (!worked) throw std::system_error(errno, std::generic_category(), what);
}

void set(const char* path, const std::string& value) {
  const int file = ::open(path, O_WRONLY | O_CLOEXEC);
  require(file >= 0, path);
  const bool written = ::write(file, value.data(), value.size()) >= 0;
  const int why = errno;
  ::close(file);
  errno = why;
  require(written, path);
}

// user_namespaces(7): whoever has no identity there may do nothing.
void become_root_of_a_network(int more) {
  const std::string user = std::to_string(::getuid());
  const std::string group = std::to_string(::getgid());
  require(::unshare(CLONE_NEWUSER | CLONE_NEWNET | more) == 0, "namespaces of one's own");
  set("/proc/self/setgroups", "deny");
  set("/proc/self/uid_map", "0 " + user + " 1");
  set("/proc/self/gid_map", "0 " + group + " 1");
}

void bring_loopback_up() {
  const int s = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq lo{};
  std::strncpy(lo.ifr_name, "lo", sizeof lo.ifr_name - 1);
  lo.ifr_flags = IFF_UP | IFF_RUNNING;
  const int up = ::ioctl(s, SIOCSIFFLAGS, &lo);
  const int why = errno;
  ::close(s);
  errno = why;
  require(up == 0, "loopback");
}

}  // namespace

void enter_namespaces(int more) {
  if (::unshare(CLONE_NEWNET | more) != 0) become_root_of_a_network(more);
  bring_loopback_up();
}

}  // namespace redial::inline REDIAL_ABI::testing
