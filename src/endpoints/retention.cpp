// SPDX-License-Identifier: Apache-2.0
#include "endpoints/retention.hpp"

#include <cstddef>

namespace redial::inline REDIAL_ABI::detail {

bool is_replaced(const std::vector<endpoint_entry*>& current, happening departure) {
  std::size_t newcomers = 0;
  std::size_t finished = 0;
  bool any_active = false;
  for (const endpoint_entry* e : current) {
    any_active = any_active || e->state == health::active;
    if (e->first_attempt < departure) continue;
    ++newcomers;
    if (e->first_attempt != not_yet) ++finished;
  }
  return any_active && 2 * finished >= newcomers;
}

}  // namespace redial::inline REDIAL_ABI::detail
