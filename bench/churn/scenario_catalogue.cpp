// SPDX-License-Identifier: Apache-2.0
#include "churn/script.hpp"

namespace redial::churn {

std::vector<scenario> all_scenarios(bool quick) {
  std::vector<scenario> all;
  add_moves(all, quick);
  add_restarts(all, quick);
  add_deaths(all, quick);
  add_bad_backends(all, quick);
  add_outages(all, quick);
  add_other_sources(all, quick);
  return all;
}

}  // namespace redial::churn
