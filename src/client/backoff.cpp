// SPDX-License-Identifier: Apache-2.0

#include "client/backoff.hpp"

#include <algorithm>

namespace redial::detail {

duration spread(duration delay, double share, random_source& chance) noexcept {
  const duration middle = clamped(delay);
  const double width = static_cast<double>(middle.count()) * std::clamp(share, 0.0, 1.0);
  const duration reach{static_cast<duration::rep>(width)};
  return clamped(chance.between(middle - reach, middle + reach));
}

}  // namespace redial::detail
