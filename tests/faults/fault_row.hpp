// SPDX-License-Identifier: Apache-2.0
#pragma once

// One row of a table of faults, and the rows of the one of DNS: each number of the catalogue, 1 to
// 87.

#include <redial/core/abi.hpp>

#include <ostream>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {

struct fault_row {
  int number = 0;
  /// In lower case with underscores: the name of the test.
  const char* title = "";
  /// Drives the fault and expects what must happen. Null: the row cannot apply, and `note` says
  /// why.
  void (*run)() = nullptr;
  /// What a reader of the results should know: simulated time, what only one c-ares version does.
  const char* note = "";
};

inline void PrintTo(const fault_row& row, std::ostream* out) {
  *out << row.number << ' ' << row.title;
}

/// 1 to 22: messages that are broken or not for us, and those that need TCP.
[[nodiscard]] std::vector<fault_row> message_rows();
/// 23 to 37: TTLs, aliases, owners, numbers and order of records.
[[nodiscard]] std::vector<fault_row> record_rows();
/// 38 to 47: answers without records, response codes, families that differ, useless addresses.
[[nodiscard]] std::vector<fault_row> verdict_rows();
/// 48 to 57: SRV.
[[nodiscard]] std::vector<fault_row> service_rows();
/// 58 to 60: replies from strangers, too late, and twice.
[[nodiscard]] std::vector<fault_row> reply_rows();
/// 61 to 75: names, addresses, the hosts file, many names.
[[nodiscard]] std::vector<fault_row> name_rows();
/// 76 to 87: resolv.conf and the behaviour of servers.
[[nodiscard]] std::vector<fault_row> server_rows();

}  // namespace redial::inline REDIAL_ABI::testing
