// SPDX-License-Identifier: Apache-2.0
#include "support/own_world.hpp"

#include "support/namespaces.hpp"  // of the integration tests

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
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

void enter() {
  try {
    testing::enter_namespaces(CLONE_NEWNS);
  } catch (const std::system_error& e) {
    throw not_permitted(e.what());
  }
}

// There is no way back from a network whose loopback stays down, and some systems let anybody make
// one but give no rights in it (Ubuntu 24.04): a child goes first.
void send_a_child_ahead() {
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      enter();
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
  enter();
}

void keep_mounts_to_ourselves() {
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) refuse("mounts", errno);
}

void replace_file(const std::string& path, const std::string& own, const std::string& text) {
  write_file(own, text);
  if (::mount(own.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0) refuse(path, errno);
}

}  // namespace redial::bench
