// SPDX-License-Identifier: Apache-2.0
#include "churn/room.hpp"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <system_error>

namespace redial::churn {

namespace {

// One step towards a room was not possible.
struct refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

[[noreturn]] void refuse(const std::string& what, int error) {
  throw refused(what + ": " + std::generic_category().message(error));
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::trunc);
  if (!(file << text << std::flush)) throw refused("cannot write " + path);
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
    } catch (const refused&) {
      ::_exit(1);
    }
  }
  int status = -1;
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0) throw refused("a network of its own: not permitted");
}

// `path` is what `text` says for this process and its children, and for nobody else.
std::string replace_file(const std::string& directory, const char* path, const std::string& text) {
  auto own = directory + "/" + std::string(path).substr(std::strlen("/etc/"));
  write_file(own, text);
  if (::mount(own.c_str(), path, nullptr, MS_BIND, nullptr) != 0) refuse(path, errno);
  return own;
}

void replace_files(room& r, const std::string& directory) {
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) refuse("mounts", errno);
  replace_file(directory, "/etc/resolv.conf", "nameserver 127.0.0.1\n");
  replace_file(directory, "/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n");
  r.hosts_path = replace_file(directory, "/etc/hosts", "127.0.0.1 localhost\n");
  r.system_names = true;
}

// Debian keeps administrators' programs out of other people's PATH.
bool run_nft(const std::string& rules) {
  return std::system(("PATH=$PATH:/usr/sbin:/sbin; nft '" + rules + "' 2>/dev/null").c_str()) == 0;
}

constexpr const char* clean = "add table ip redial_churn; delete table ip redial_churn; ";

}  // namespace

room enter_room(const std::string& directory) {
  room r;
  try {
    send_a_child_ahead();
    enter_namespaces();
    r.network = true;
    r.packet_filter = run_nft(clean);
    replace_files(r, directory);
    if (!r.packet_filter) r.why_not = "nft is missing or refuses";
  } catch (const refused& e) {
    r.why_not = e.what();
  }
  return r;
}

packet_filter::~packet_filter() {
  if (used_) (void)run_nft(clean);
}

void packet_filter::black_hole(const std::string& address, bool on) {
  holes_.erase(std::remove(holes_.begin(), holes_.end(), address), holes_.end());
  if (on) holes_.push_back(address);
  used_ = true;
  apply();
}

// All of them in one transaction. On the way in: on the way out the sender would be told.
void packet_filter::apply() const {
  std::string rules = clean;
  rules +=
      "add table ip redial_churn; add chain ip redial_churn in { type filter hook input "
      "priority 0; }; ";
  for (const auto& h : holes_) {
    for (const char* side : {"daddr", "saddr"}) {
      rules += std::string("add rule ip redial_churn in ip ") + side + " " + h + " drop; ";
    }
  }
  if (!run_nft(rules)) throw std::runtime_error("nft refuses: " + rules);
}

}  // namespace redial::churn
