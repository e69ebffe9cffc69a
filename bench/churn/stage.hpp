// SPDX-License-Identifier: Apache-2.0
#pragma once

// The world around the clients: a name server and the backends behind one service, and what became
// of them.

#include <redial/testing/certificates.hpp>

#include "churn/backend_process.hpp"
#include "churn/backend_service.hpp"
#include "churn/name_server.hpp"
#include "churn/record.hpp"
#include "churn/room.hpp"
#include "churn/scenario.hpp"
#include "churn/service.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace redial::churn {

/// A directory that goes away with its contents.
class temporary_directory {
 public:
  temporary_directory();
  ~temporary_directory();
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

/// What there is to build a stage from.
struct stage_means {
  room place;
  authority names = authority::embedded;
};

/// Why `s` cannot be played with `means`; empty when it can.
[[nodiscard]] std::string why_not_played(const scenario& s, const stage_means& means);

/// \par Threads Made and used on one thread that outlives it (see `backend_process`).
class stage {
 public:
  /// Starts the name server and the backends. `hosts` are names of the service, one per client so
  /// that their questions can be told apart. All have the same addresses.
  /// \throws std::exception when something cannot be started.
  stage(const scenario& s, std::vector<std::string> hosts, stage_means means);
  ~stage();
  stage(const stage&) = delete;
  stage& operator=(const stage&) = delete;

  /// How a client finds the service by the name `host`. The seed is left to the caller.
  [[nodiscard]] service_address where(const std::string& host) const;
  /// Questions for `host` and for whatever its SRV records name.
  [[nodiscard]] std::uint64_t queries(const std::string& host) const;
  /// Names that a client has to ask for.
  [[nodiscard]] std::size_t names() const noexcept;

  /// From now on offsets count from `start`; what is so now is so since offset zero.
  void begin(time_point start);

  // What happens. Backends are named by their letters.
  void point_to(std::string_view letters);
  /// Kills the processes; the system closes their connections in good order.
  void kill(std::string_view letters);
  /// Resets every connection, then kills.
  void reset_and_kill(std::string_view letters);
  void start(std::string_view letters);
  void behave(std::string_view letters, manner m);
  /// Packets from and to the machines of these vanish.
  void black_hole(std::string_view letters, bool on);
  void dns(dns_fault fault);
  void silence(bool on) { dns(on ? dns_fault::silent : dns_fault::none); }

  /// `kind` of each backend now: `+` in DNS and running, `-` running only, `!` in DNS but dead, `
  /// `.
  [[nodiscard]] std::string states() const;

  /// Puts backends, their spans and what they logged into `run`, whose contestants must be there.
  void fill(run_record& run) const;

 private:
  struct backend {
    backend_record record;
    std::vector<std::string> hosts;
    std::uint16_t port = 0;
    std::string log;
    backend_process process;
  };

  void choose_addresses();
  void choose_ports();
  void issue_certificates();
  void start_names();
  [[nodiscard]] std::chrono::seconds ttl() const noexcept;
  [[nodiscard]] duration now() const;
  [[nodiscard]] backend& at(char letter);
  void launch(backend& b);
  void publish();
  void publish_services(const std::string& host);
  void write_hosts_file(const std::vector<std::string>& addresses) const;
  [[nodiscard]] std::string srv_target(std::size_t machine, const std::string& host) const;

  scenario scenario_;
  std::vector<std::string> hosts_;
  stage_means means_;
  temporary_directory directory_;
  packet_filter filter_;
  std::unique_ptr<name_server> names_;
  std::unique_ptr<name_cache> cache_;
  std::optional<testing::certificate_authority> ca_;
  testing::certificate_files own_;
  testing::certificate_files strangers_;
  std::uint16_t port_ = 0;
  std::uint16_t grpc_port_ = 0;
  std::uint16_t grpc_aged_port_ = 0;
  std::vector<backend> backends_;
  std::string named_;  // letters in DNS
  std::vector<span> silent_;
  time_point start_ = time_point::max();
};

}  // namespace redial::churn
