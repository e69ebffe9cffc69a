// SPDX-License-Identifier: Apache-2.0
#pragma once

// Runs an executor until something has happened.

#include <redial/core/abi.hpp>

#include <boost/asio/io_context.hpp>

#include <chrono>

namespace redial::inline REDIAL_ABI::testing {

/// Runs handlers of `io` until `happened()`; false when `limit` passed first or nothing is left to
/// run. The limit only bounds a broken test.
template <class Happened>
[[nodiscard]] bool run_until(boost::asio::io_context& io,
                             Happened happened,
                             std::chrono::seconds limit = std::chrono::seconds{30}) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  if (io.stopped()) io.restart();
  while (!happened()) {
    if (io.run_one_until(deadline) == 0) return happened();
  }
  return true;
}

}  // namespace redial::inline REDIAL_ABI::testing
