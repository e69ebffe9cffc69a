// SPDX-License-Identifier: Apache-2.0
#include "churn/scenario.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace redial::churn {

using namespace std::chrono_literals;

duration scenario::effective_ttl() const noexcept {
  // 1 s is the lowest that redial honours by default.
  return std::clamp<duration>(ttl, 1s, ttl_cap);
}

duration scenario::allowed_stale() const noexcept {
  return stale_limit.value_or(effective_ttl() + 1s);
}

scenario without_fault(scenario s) {
  s.name += "_without_fault";
  s.title = "Nothing happens";
  s.steps.clear();
  s.dns_faults = false;
  s.filters_packets = false;
  return s;
}

scenario with_length(scenario s, duration length) {
  if (!s.steps.empty() && length <= s.steps.back().at) {
    throw std::invalid_argument("--duration: shorter than scenario " + s.name +
                                ", in which something happens until later");
  }
  s.length = length;
  return s;
}

}  // namespace redial::churn
