// SPDX-License-Identifier: Apache-2.0
#pragma once

// The world around the clients: a name server and the backends behind one service, and what became
// of them.

#include <redial/testing/dns_server.hpp>

#include "churn/backend_process.hpp"
#include "churn/record.hpp"

#include <cstdint>
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

struct stage_options {
  stage_options() = default;

  std::size_t backends = 6;
  std::string first;  ///< Letters in DNS at the start.
  std::chrono::seconds ttl{60};
  /// Names of the service, one per client so that their questions can be told apart. All have the
  /// same addresses.
  std::vector<std::string> hosts;
};

/// \par Threads Made and used on one thread that outlives it (see `backend_process`).
class stage {
 public:
  /// Starts the name server and all backends.
  /// \throws std::runtime_error, boost::system::system_error when something cannot be started.
  explicit stage(const stage_options& options);

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] std::string nameserver() const { return dns_.address(); }
  [[nodiscard]] std::uint64_t queries(const std::string& host) const { return dns_.queries(host); }

  /// From now on offsets count from `start`; what is so now is so since offset zero.
  void begin(time_point start);

  // What happens. Backends are named by their letters.
  void point_to(std::string_view letters);
  void kill(std::string_view letters);
  void start(std::string_view letters);
  void silence(bool on);

  /// `kind` of each backend now: `+` in DNS and running, `-` running only, `!` in DNS but dead, `
  /// `.
  [[nodiscard]] std::string states() const;

  /// Puts backends, their spans and what they logged into `run`, whose contestants must be there.
  void fill(run_record& run) const;

 private:
  struct backend {
    backend_record record;
    std::string host;
    std::string log;
    backend_process process;
  };

  [[nodiscard]] duration now() const;
  [[nodiscard]] backend& at(char letter);
  void launch(backend& b);
  void publish(std::string_view letters);

  stage_options options_;
  temporary_directory directory_;
  testing::dns_server dns_;
  std::vector<backend> backends_;
  std::vector<span> silent_;
  std::uint16_t port_ = 0;
  time_point start_ = time_point::max();
};

}  // namespace redial::churn
