// SPDX-License-Identifier: Apache-2.0
#pragma once

// A network and a few system files that are this process's own, so that a run may filter packets
// and be the system's name server, and nobody outside notices.

#include <string>
#include <string_view>
#include <vector>

namespace redial::churn {

/// What this process has for itself.
struct room {
  /// Its own loopback: port 53 is free there.
  bool network = false;
  bool packet_filter = false;  ///< `packet_filter` works.
  /// `getaddrinfo` and its like ask 127.0.0.1:53, after the hosts file, which is `hosts_path`.
  bool system_names = false;
  std::string hosts_path;  ///< May be written, in place. Empty without `system_names`.
  std::string why_not;     ///< What is missing and why; empty when nothing is.
};

/// Moves this process, which has no other thread yet, into network and mount namespaces of its own;
/// whoever is not root becomes it there by a user namespace. The files are put into `directory`,
/// which stays.
///
/// What cannot be had is missing from the result. Nothing is changed outside.
[[nodiscard]] room enter_room(const std::string& directory);

/// What becomes of packets from and to addresses of the room. Needs `room::packet_filter`.
///
/// \par Lifetime Nothing is filtered any more after the destructor.
class packet_filter {
 public:
  packet_filter() = default;
  ~packet_filter();
  packet_filter(const packet_filter&) = delete;
  packet_filter& operator=(const packet_filter&) = delete;

  /// Packets from and to `address` vanish, or do not any more.
  /// \throws std::runtime_error when nft refuses.
  void black_hole(const std::string& address, bool on);

 private:
  void apply() const;

  std::vector<std::string> holes_;
  bool used_ = false;
};

}  // namespace redial::churn
