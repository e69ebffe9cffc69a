// SPDX-License-Identifier: Apache-2.0
#include "churn/room.hpp"

#include "support/own_world.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace redial::churn {

namespace {

std::string replace_file(const std::string& directory, const char* path, const std::string& text) {
  auto own = directory + "/" + std::string(path).substr(std::strlen("/etc/"));
  bench::replace_file(path, own, text);
  return own;
}

void replace_files(room& r, const std::string& directory) {
  bench::keep_mounts_to_ourselves();
  replace_file(directory, "/etc/resolv.conf", "nameserver 127.0.0.1\n");
  replace_file(directory, "/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n");
  r.hosts_path = replace_file(directory, "/etc/hosts", "127.0.0.1 localhost\n");
  r.system_names = true;
}

// Debian keeps administrators' programs out of other people's PATH.
bool run_nft(const std::string& rules) {
  return std::system(("PATH=$PATH:/usr/sbin:/sbin; nft '" + rules + "' 2>/dev/null").c_str()) == 0;
}

constexpr const char* clean = "add table ip redial_churn; delete table ip redial_churn; ";

}  // namespace

room enter_room(const std::string& directory) {
  room r;
  try {
    bench::enter_own_network();
    r.network = true;
    r.packet_filter = run_nft(clean);
    replace_files(r, directory);
    if (!r.packet_filter) r.why_not = "nft is missing or refuses";
  } catch (const bench::not_permitted& e) {
    r.why_not = e.what();
  }
  return r;
}

packet_filter::~packet_filter() {
  if (used_) (void)run_nft(clean);
}

void packet_filter::black_hole(const std::string& address, bool on) {
  holes_.erase(std::remove(holes_.begin(), holes_.end(), address), holes_.end());
  if (on) holes_.push_back(address);
  used_ = true;
  apply();
}

// All of them in one transaction. On the way in: on the way out the sender would be told.
void packet_filter::apply() const {
  std::string rules = clean;
  rules +=
      "add table ip redial_churn; add chain ip redial_churn in { type filter hook input "
      "priority 0; }; ";
  for (const auto& h : holes_) {
    for (const char* side : {"daddr", "saddr"}) {
      rules += std::string("add rule ip redial_churn in ip ") + side + " " + h + " drop; ";
    }
  }
  if (!run_nft(rules)) throw std::runtime_error("nft refuses: " + rules);
}

}  // namespace redial::churn
