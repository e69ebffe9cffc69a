// SPDX-License-Identifier: Apache-2.0
#include <redial/core/host_name.hpp>
#include <redial/dns/hosts_writer.hpp>

#include "dns/file_replace.hpp"
#include "dns/hosts_rewrite.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <stdexcept>
#include <utility>

namespace redial::inline REDIAL_ABI {
namespace {

constexpr std::size_t longest_file = std::size_t{16} << 20;  // what `hosts_file` reads
constexpr int most_tries = 10;

std::string canonical_name(const std::string& written) {
  const auto host = host_name::parse(written);
  if (!host || host->is_fixed()) {
    throw std::invalid_argument("hosts_update.hosts: '" + written +
                                "'; want a name that is neither an address nor localhost");
  }
  return host->text();
}

detail::hosts_map checked(const hosts_update& update) {
  if (update.path.empty() || update.path.find('\0') != std::string::npos) {
    throw std::invalid_argument("hosts_update.path: '" + update.path + "'; want a file's path");
  }
  detail::hosts_map hosts;
  for (const auto& [written, addresses] : update.hosts) {
    auto& all = hosts[canonical_name(written)];
    for (const address& a : addresses) {
      if (!is_dialable(a)) {
        throw std::invalid_argument("hosts_update.hosts: " + a.to_string() + " for '" + written +
                                    "'; want an address that can be dialled");
      }
      const address plain = unmapped(a);
      if (std::ranges::find(all, plain) == all.end()) all.push_back(plain);
    }
  }
  return hosts;
}

bool was_changed_meanwhile(const error_code& ec) noexcept {
  return ec == error_code(EAGAIN, boost::system::system_category());
}

error_code write_once(const std::string& path, const detail::hosts_map& hosts) {
  auto file = detail::lock_file(path, longest_file);
  if (!file) return file.error();
  const std::string text = detail::rewritten_hosts(file->text, hosts);
  if (text == file->text) return {};
  if (text.size() > longest_file) return {EFBIG, boost::system::system_category()};
  return detail::replace_text(*file, text);
}

}  // namespace

error_code write_hosts(const hosts_update& update) {
  const detail::hosts_map hosts = checked(update);
  for (const auto& [name, addresses] : hosts) {
    if (addresses.empty()) return errc::no_data;
  }
  if (hosts.empty()) return {};
  error_code ec = write_once(update.path, hosts);
  for (int i = 1; i < most_tries && was_changed_meanwhile(ec); ++i) {
    ec = write_once(update.path, hosts);
  }
  return ec;
}

}  // namespace redial::inline REDIAL_ABI
