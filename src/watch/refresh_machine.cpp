// SPDX-License-Identifier: Apache-2.0

#include "watch/refresh_machine.hpp"

#include "watch/ttl_policy.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {

void refresh_machine::ask_by(time_point when) noexcept {
  if (!in_flight_) due_ = std::min(due_, when);
}

void refresh_machine::on_records(std::chrono::seconds ttl, time_point now) noexcept {
  const answer_times times = times_of(ttl, now, options_, random_);
  in_flight_ = false;
  hope_ = false;
  ever_good_ = true;
  failures_ = 0;
  last_good_ = now;
  fresh_until_ = times.fresh_until;
  due_ = times.ask_again;
  may_ask_ = times.may_ask;
}

void refresh_machine::on_negative(std::chrono::seconds ttl, time_point now) noexcept {
  in_flight_ = false;
  hope_ = false;
  failures_ = 0;
  const answer_times times = times_of(ttl, now, options_, random_);
  due_ = times.ask_again;
  may_ask_ = times.may_ask;
}

void refresh_machine::on_failure(time_point now) noexcept {
  in_flight_ = false;
  if (std::exchange(hope_, false)) failures_ = 0;
  if (failures_ < std::numeric_limits<unsigned>::max()) ++failures_;
  last_failed_ = now;
  due_ = after(now, backoff_after(failures_, options_, random_));
  may_ask_ = due_;
}

void refresh_machine::shorten_backoff(time_point now) noexcept {
  if (failures_ == 0) return;
  hope_ = in_flight_;
  ask_by(std::max(now, after(last_failed_, options_.backoff_base)));
}

time_point refresh_machine::expires() const noexcept {
  if (options_.stale_limit >= longest_duration) return time_point::max();
  return after(last_good_, options_.stale_limit);
}

freshness refresh_machine::at(time_point now) const noexcept {
  if (!ever_good_) return freshness::unresolved;
  if (now < fresh_until_) return freshness::fresh;
  return now < expires() ? freshness::stale : freshness::expired;
}

}  // namespace redial::inline REDIAL_ABI::detail
