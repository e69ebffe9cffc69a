// SPDX-License-Identifier: Apache-2.0

#include "client/backoff.hpp"

#include <algorithm>

namespace redial::inline REDIAL_ABI::detail {

duration spread(duration delay, double share, random_source& chance) noexcept {
  const duration middle = clamped(delay);
  const double width = static_cast<double>(middle.count()) * std::clamp(share, 0.0, 1.0);
  const duration reach{static_cast<duration::rep>(width)};
  return clamped(chance.between(middle - reach, middle + reach));
}

duration grown(duration delay, double factor, duration longest) noexcept {
  const double next = static_cast<double>(delay.count()) * factor;
  if (next >= static_cast<double>(longest.count())) return std::max(delay, longest);
  return std::max(delay, duration{static_cast<duration::rep>(next)});
}

}  // namespace redial::inline REDIAL_ABI::detail
