// SPDX-License-Identifier: Apache-2.0
#include "support/databases.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <glob.h>
#include <signal.h>
#include <unistd.h>

#include <stdexcept>

namespace redial::inline REDIAL_ABI::testing {

namespace {

const std::string& redis() {
  static const std::string path =
      find_program({"/usr/bin/redis-server", "/usr/local/bin/redis-server"});
  return path;
}

// Debian keeps the server's programs out of PATH, in a directory per version.
std::string find_postgres(const std::string& program) {
  std::vector<std::string> paths;
  glob_t found{};
  if (::glob("/usr/lib/postgresql/*/bin", 0, nullptr, &found) == 0) {
    for (std::size_t i = found.gl_pathc; i-- > 0;) {
      paths.push_back(std::string(found.gl_pathv[i]) + "/" + program);
    }
  }
  ::globfree(&found);
  paths.push_back("/usr/bin/" + program);
  return find_program(paths);
}

std::vector<std::string> as_postgres(std::vector<std::string> command) {
  if (::geteuid() != 0) return command;
  std::vector<std::string> all{
      "setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--pdeathsig=KILL"};
  all.insert(all.end(), command.begin(), command.end());
  return all;
}

}  // namespace

bool redis_server::is_installed() { return !redis().empty(); }

redis_server::redis_server(const std::string& address, std::uint16_t port)
    : port_(port != 0 ? port : free_port({address})) {
  process_ = std::make_unique<child_process>(std::vector<std::string>{redis(),
                                                                      "--bind",
                                                                      address,
                                                                      "--port",
                                                                      std::to_string(port_),
                                                                      "--save",
                                                                      "",
                                                                      "--appendonly",
                                                                      "no",
                                                                      "--dir",
                                                                      dir_.path().string(),
                                                                      "--daemonize",
                                                                      "no"});
  if (!process_->wait_for_line("eady to accept connections")) {
    throw std::runtime_error("Redis did not start: " + process_->output());
  }
}

void redis_server::kill() {
  process_->signal(SIGKILL);
  process_->wait();
}

bool postgres_server::is_installed() {
  return !find_postgres("initdb").empty() && !find_postgres("postgres").empty();
}

postgres_server::postgres_server(const std::vector<std::string>& addresses)
    : port_(free_port(addresses)) {
  if (::geteuid() == 0) dir_.give_to("postgres");
  const auto data = (dir_.path() / "data").string();
  run_program(as_postgres({find_postgres("initdb"),
                           "-D",
                           data,
                           "-U",
                           "postgres",
                           "-A",
                           "trust",
                           "--no-sync",
                           "--encoding=UTF8",
                           "--locale=C"}));
  process_ =
      std::make_unique<child_process>(as_postgres({find_postgres("postgres"),
                                                   "-D",
                                                   data,
                                                   "-p",
                                                   std::to_string(port_),
                                                   "-k",
                                                   "",
                                                   "-h",
                                                   fmt::format("{}", fmt::join(addresses, ",")),
                                                   "-c",
                                                   "fsync=off",
                                                   "-c",
                                                   "shared_buffers=16MB"}));
  if (!process_->wait_for_line("ready to accept connections")) {
    throw std::runtime_error("PostgreSQL did not start: " + process_->output());
  }
}

postgres_server::~postgres_server() {
  // Its children end with it only when it is asked; SIGQUIT is its immediate shutdown.
  process_->signal(SIGQUIT);
  process_->wait();
}

}  // namespace redial::inline REDIAL_ABI::testing
