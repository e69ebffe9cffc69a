// SPDX-License-Identifier: Apache-2.0
#pragma once

// Asks an HTTP server whether it is well.

#include <redial/core/abi.hpp>
#include <redial/pool/health_probe.hpp>

#include <memory>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI {

/// Validated by `http_probe`.
struct http_probe_options {
  http_probe_options() = default;

  /// What is asked for: starts with `/`, no blanks, no control characters.
  std::string path = "/";
  /// The Host header; not empty.
  std::string host;
  /// Statuses that say that all is well, each from 100 to 599. Not empty.
  std::vector<unsigned> statuses = {200};
};

/// `GET path`, by HTTP/1.1. Passes with a whole response of an expected status; fails with
/// `errc::unavailable_status` for another one, else with what `http_client` would say. Only for
/// pools of redial's own TCP and TLS connections, such as that of an `http_client`. The response
/// may have 64 KiB.
///
/// \throws std::invalid_argument naming the option, its value and the legal range.
[[nodiscard]] REDIAL_API std::shared_ptr<health_probe> http_probe(http_probe_options options);

}  // namespace redial::inline REDIAL_ABI
