// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a TLS connector goes by, and how that is replaced while it is in use.

#include <redial/core/host_name.hpp>
#include <redial/net/tls_options.hpp>

#include "net/session_cache.hpp"

#include <boost/asio/ssl/context.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// The files as they were read once. The sessions belong to it: none is offered under settings
/// other than those that it was made under. Shared with openings under way.
struct tls_settings {
  tls_settings(const host_name& of_target, const tls_options& options, std::uint64_t reading);

  const std::uint64_t number;  // of the reading: the later, the higher
  const host_name identity;
  const std::vector<std::string> alpn;
  mutable boost::asio::ssl::context context;
  const std::shared_ptr<session_cache> sessions;  // null: not wanted
};

/// The settings in force.
///
/// \par Threads Safe from any thread.
class live_tls_settings {
 public:
  /// \throws std::invalid_argument naming option, file and reason.
  live_tls_settings(const host_name& of_target, const tls_options& options);

  [[nodiscard]] std::shared_ptr<const tls_settings> current() const;
  /// Reads the files again. \throws as the constructor.
  [[nodiscard]] std::shared_ptr<const tls_settings> read() const;
  /// Puts them in force, unless those in force were read later: several may reload at once.
  void use(std::shared_ptr<const tls_settings> settings);

 private:
  const host_name of_target_;
  const tls_options options_;
  mutable std::atomic<std::uint64_t> readings_{0};
  mutable std::mutex mutex_;
  std::shared_ptr<const tls_settings> current_;
};

}  // namespace redial::inline REDIAL_ABI::detail
