// SPDX-License-Identifier: Apache-2.0
// The choice among endpoints of different weights.
//
// Sources and reasons:
//
// - RFC 2782: pick a number from 0 to the sum of the weights and take the first record whose
// running
//   sum reaches it, those of weight 0 first. So those of weight 0 together have one part in sum +
//   1, and {0, 10} means 1/11 and 10/11. A share is therefore the weight, and 1/zeros for weight 0;
//   both times the number of zeros, to stay whole. (Without zeros the RFC's procedure gives the
//   record that happens to be listed first one part more; here shares are the weights, as it
//   intends.)
// - Two are drawn by share. The first serves, unless the second would, with this call, still be no
//   more loaded for its share than the first is without it. Among equals that is "fewer leases"; of
//   weights 100 and 1 the second gets its first lease besides when the first has a hundred. The
//   plain ratio would send it every call that meets the other one busy.
// - One that would serve if it had an idle connection gets one, one at a time, as among equals.

#include "endpoints/selector.hpp"

#include <algorithm>

namespace redial::inline REDIAL_ABI::detail {

void selector::weigh() noexcept {
  unweighed_ = false;
  const std::uint16_t any = serving_.front()->weight;
  set_weighted(std::any_of(serving_.begin(), serving_.end(), [any](const endpoint_entry* e) {
    return e->weight != any;
  }));
  const auto zeros = std::count_if(
      serving_.begin(), serving_.end(), [](const endpoint_entry* e) { return e->weight == 0; });
  zeros_ = zeros == 0 ? 1U : static_cast<std::uint64_t>(zeros);
  shares_.clear();
  for (const endpoint_entry* e : serving_) shares_.push_back(share(*e));
  by_weight_.build(shares_);
  policy_.weigh(shares_, random_);
}

endpoint_entry* selector::pick_idle_by_weight() noexcept {
  if (unweighed_) weigh();
  // A few draws before any idle one is taken whatever its weight.
  for (int tries = 0; tries < 3; ++tries) {
    endpoint_entry* chosen = serving_[by_weight_.draw(random_)];
    endpoint_entry* other = serving_[by_weight_.draw(random_)];
    for (int again = 0; other == chosen && again < 2; ++again) {
      other = serving_[by_weight_.draw(random_)];
    }
    if (chosen != other && suits_better(*other, other->leases, *chosen, chosen->leases)) {
      std::swap(chosen, other);
    }
    if (chosen->idle != 0) return chosen;
    if (chosen->opening == 0) starved_ = chosen;
    if (other->idle != 0) return other;
  }
  return any_idle();
}

}  // namespace redial::inline REDIAL_ABI::detail
