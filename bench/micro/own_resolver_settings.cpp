// SPDX-License-Identifier: Apache-2.0
// getaddrinfo asks port 53 of what /etc/resolv.conf names, and nothing else: so the process gets a
// loopback where that port is free, and an /etc/resolv.conf of its own. Outside nothing changes.

#include "micro/subject.hpp"
#include "support/own_world.hpp"

#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace redial::micro {

std::string enter_own_resolver_settings() {
  auto directory = (std::filesystem::temp_directory_path() / "redial-bench-XXXXXX").string();
  if (::mkdtemp(directory.data()) == nullptr) return directory + ": " + std::strerror(errno);
  std::string why_not;
  try {
    bench::enter_own_network();
    bench::keep_mounts_to_ourselves();
    bench::replace_file("/etc/resolv.conf", directory + "/resolv.conf", "nameserver 127.0.0.1\n");
    bench::replace_file("/etc/nsswitch.conf", directory + "/nsswitch.conf", "hosts: files dns\n");
  } catch (const bench::not_permitted& e) {
    why_not = e.what();
  }
  std::error_code ignored;
  std::filesystem::remove_all(directory, ignored);  // what was mounted stays
  return why_not;
}

}  // namespace redial::micro
