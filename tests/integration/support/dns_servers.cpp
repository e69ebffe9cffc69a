// SPDX-License-Identifier: Apache-2.0
#include "support/dns_servers.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>

namespace redial::inline REDIAL_ABI::testing {

namespace {

const std::string& knotd() {
  static const std::string path = find_program({"/usr/sbin/knotd", "/usr/bin/knotd"});
  return path;
}
const std::string& knotc() {
  static const std::string path = find_program({"/usr/sbin/knotc", "/usr/bin/knotc"});
  return path;
}
const std::string& unbound() {
  static const std::string path = find_program({"/usr/sbin/unbound", "/usr/bin/unbound"});
  return path;
}
const std::string& dnsmasq() {
  static const std::string path = find_program({"/usr/sbin/dnsmasq", "/usr/bin/dnsmasq"});
  return path;
}

}  // namespace

bool knot_server::is_installed() { return !knotd().empty() && !knotc().empty(); }

knot_server::knot_server(const std::vector<std::string>& records, std::uint16_t port)
    : port_(port != 0 ? port : free_port()) {
  std::string zone =
      "$ORIGIN test.\n@ 60 SOA ns.test. admin.test. 1 3600 600 86400 5\n@ 60 NS ns\nns 60 A "
      "127.0.0.1\n";
  for (const auto& r : records) zone += r + "\n";
  dir_.write("test.zone", zone);
  std::filesystem::create_directory(dir_.path() / "db");
  const auto home = dir_.path().string();
  const auto config = dir_.write("knot.conf",
                                 fmt::format("server:\n"
                                             "  rundir: {0}\n"
                                             "  listen: 127.0.0.1@{1}\n"
                                             "  udp-workers: 1\n  tcp-workers: 1\n"
                                             "  background-workers: 1\n"
                                             "database:\n  storage: {0}/db\n"
                                             "control:\n  listen: {0}/control\n"
                                             "log:\n  - target: stderr\n    any: info\n"
                                             "template:\n  - id: default\n"
                                             "    storage: {0}\n    zonefile-sync: -1\n"
                                             "    semantic-checks: off\n"
                                             "zone:\n  - domain: test.\n    file: test.zone\n",
                                             home,
                                             port_));
  process_ = std::make_unique<child_process>(std::vector<std::string>{knotd(), "-c", config});
  if (!process_->wait_for_line("loaded, serial") || !process_->wait_for_line("control, binding")) {
    throw std::runtime_error("Knot did not start: " + process_->output());
  }
}

std::string knot_server::control(const std::vector<std::string>& words) const {
  std::vector<std::string> command{knotc(), "-s", (dir_.path() / "control").string()};
  command.insert(command.end(), words.begin(), words.end());
  return run_program(command);
}

void knot_server::set_addresses(const std::string& owner,
                                int ttl,
                                const std::vector<std::string>& addresses) {
  set_records(owner, ttl, "A", addresses);
}

void knot_server::set_records(const std::string& owner,
                              int ttl,
                              const std::string& type,
                              const std::vector<std::string>& rdatas) {
  control({"zone-begin", "test."});
  try {
    control({"zone-unset", "test.", owner, type});
  } catch (const std::runtime_error&) {
    // There were none, which Knot calls an error.
  }
  for (const auto& r : rdatas) {
    control({"zone-set", "test.", owner, std::to_string(ttl), type, r});
  }
  control({"zone-commit", "test."});
}

void knot_server::remove_record(const std::string& owner,
                                const std::string& type,
                                const std::string& rdata) {
  control({"zone-begin", "test."});
  control({"zone-unset", "test.", owner, type, rdata});
  control({"zone-commit", "test."});
}

void knot_server::pause() const { process_->signal(SIGSTOP); }

void knot_server::go_on() const { process_->signal(SIGCONT); }

bool unbound_server::is_installed() { return !unbound().empty(); }

unbound_server::unbound_server(const knot_server& authority) : unbound_server(authority.port()) {}

unbound_server::unbound_server(std::uint16_t authority_port, std::uint16_t port)
    : port_(port != 0 ? port : free_port()) {
  const auto home = dir_.path().string();
  const auto config = dir_.write("unbound.conf",
                                 fmt::format("server:\n"
                                             "  directory: \"{0}\"\n  chroot: \"\"\n"
                                             "  username: \"\"\n  pidfile: \"\"\n"
                                             "  interface: 127.0.0.1\n  port: {1}\n"
                                             "  access-control: 127.0.0.0/8 allow\n"
                                             "  num-threads: 1\n  use-syslog: no\n  logfile: \"\"\n"
                                             "  verbosity: 1\n  do-not-query-localhost: no\n"
                                             "  module-config: \"iterator\"\n  do-ip6: no\n"
                                             "  local-zone: \"test.\" nodefault\n"
                                             "remote-control:\n  control-enable: no\n"
                                             "stub-zone:\n  name: \"test.\"\n"
                                             "  stub-addr: 127.0.0.1@{2}\n",
                                             home,
                                             port_,
                                             authority_port));
  process_ =
      std::make_unique<child_process>(std::vector<std::string>{unbound(), "-d", "-c", config});
  if (!process_->wait_for_line("start of service")) {
    throw std::runtime_error("Unbound did not start: " + process_->output());
  }
}

bool dnsmasq_server::is_installed() { return !dnsmasq().empty(); }

dnsmasq_server::dnsmasq_server(const std::string& hosts, int ttl)
    : hosts_path_(dir_.write("hosts", hosts)), port_(free_port()) {
  std::vector<std::string> command{dnsmasq(),
                                   "--no-daemon",
                                   "--conf-file=/dev/null",
                                   "--pid-file=",
                                   "--no-resolv",
                                   "--no-hosts",
                                   "--addn-hosts=" + hosts_path_,
                                   "--local=/test/",
                                   "--listen-address=127.0.0.1",
                                   "--bind-interfaces",
                                   fmt::format("--port={}", port_),
                                   fmt::format("--local-ttl={}", ttl)};
  // Else it becomes another user, who may not read this directory.
  if (::geteuid() == 0) command.insert(command.end(), {"--user=root", "--group="});
  process_ = std::make_unique<child_process>(command);
  if (!process_->wait_for_line("read " + hosts_path_)) {
    throw std::runtime_error("dnsmasq did not start: " + process_->output());
  }
}

void dnsmasq_server::reload() {
  process_->signal(SIGHUP);
  if (!process_->wait_for_line("read " + hosts_path_, ++times_read_)) {
    throw std::runtime_error("dnsmasq did not read its hosts again: " + process_->output());
  }
}

}  // namespace redial::inline REDIAL_ABI::testing
