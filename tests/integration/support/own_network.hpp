// SPDX-License-Identifier: Apache-2.0
#pragma once

// A test in a network of its own, which ends with it: nothing that it does to addresses, routes,
// packet filters and port ranges is seen outside, nor left behind.

#include <redial/core/abi.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>

namespace redial::inline REDIAL_ABI::testing {

/// This machine cannot or may not do what a test needs; `what()` says why.
struct not_possible : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What became of a test that ran in a child process.
struct child_result {
  bool passed = false;
  std::string not_possible;  ///< Why it did not run; empty when it did.
};

/// Runs `body` in a child process whose network is its own: loopback only, and up. Its failures are
/// printed there. It is killed after `limit_s` seconds, and with this process.
///
/// The caller has no other thread.
[[nodiscard]] child_result run_in_own_network(const std::function<void()>& body, int limit_s = 60);

/// Moves this process, which has no other thread, into a network of its own, of which it is root.
/// \throws not_possible
void enter_own_network();

/// Writes to a file below /proc. \throws not_possible
void set_system_value(const std::string& path, const std::string& value);

/// No interface of this network has IPv6 any more. \throws not_possible
void switch_ipv6_off();

/// Runs a command line by the shell. \throws not_possible with the command when it fails.
void run_command(const std::string& line);

/// What happens to packets that a firewall refuses: nothing is said, or a TCP reset, or an ICMP
/// error.
enum class packet_fate { drop, reset, unreachable };
/// Refuses TCP packets of more than `longer_than` bytes that come in for `address` and `port`, by
/// nftables or, where that is missing, by iptables. \throws not_possible
void filter_packets_to(const std::string& address,
                       std::uint16_t port,
                       packet_fate fate,
                       int longer_than = 0);
/// Ends that. \throws not_possible
void filter_no_packets();

/// For a test: fails with it, or is skipped with the reason.
#define REDIAL_PASSES_IN_OWN_NETWORK(...)                                                      \
  do {                                                                                         \
    const auto result = ::redial::testing::run_in_own_network(__VA_ARGS__);                    \
    if (!result.not_possible.empty()) GTEST_SKIP() << "not possible: " << result.not_possible; \
    EXPECT_TRUE(result.passed);                                                                \
  } while (false)

}  // namespace redial::inline REDIAL_ABI::testing
