// SPDX-License-Identifier: Apache-2.0
#include "churn/entrants.hpp"

#include "churn/contestant_beast.hpp"
#include "churn/contestant_redial.hpp"
#include "churn/peers.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace redial::churn {

namespace {

std::string why_not_beast(const service_address& where) {
  if (where.tls) return "is written without TLS";
  if (!where.srv.empty()) return "knows no SRV records";
  if (where.in_hosts_file) return "asks DNS only";
  return {};
}

}  // namespace

const std::vector<entrant>& all_entrants() {
  static const std::vector<entrant> all = [] {
    std::vector<entrant> own{
        {"redial", "redial", nullptr, make_redial},
        {"finagle", "redial, finagle preset", nullptr, make_redial_finagle},
        {"plain", "plain keep-alive client", why_not_beast, make_beast},
    };
    for (auto& peer : peer_entrants()) own.push_back(std::move(peer));
    return own;
  }();
  return all;
}

std::vector<entrant> entrants_named(const std::vector<std::string>& ids) {
  const auto& all = all_entrants();
  if (ids.empty()) return all;
  const auto is_asked = [&](const std::string& id) {
    return std::find(ids.begin(), ids.end(), id) != ids.end();
  };
  std::vector<entrant> found;
  std::string known;
  for (const auto& e : all) {
    known += " " + e.id;
    if (is_asked(e.id)) found.push_back(e);
  }
  for (const auto& id : ids) {
    if (std::none_of(all.begin(), all.end(), [&](const entrant& e) { return e.id == id; })) {
      throw std::invalid_argument("no contestant '" + id + "'; there are:" + known);
    }
  }
  return found;
}

}  // namespace redial::churn
