// SPDX-License-Identifier: Apache-2.0

// Sources: a load balancer's or service registry's answer holds at most 8 records, a random sample
// when there are more. So eight records that change are a sample; fewer are all there is, unless an
// address comes back that had gone.
// Constants: with one record per answer a return is also what a failover and its failback look
// like, so it takes three; 256 departures bound the memory of a name that changes without end.

#include "watch/rotation.hpp"

namespace redial::inline REDIAL_ABI::detail {

namespace {
constexpr std::size_t sample_size = 8;
constexpr unsigned returns_of_one_record = 3;
}  // namespace

void rotation::on_answer(std::size_t shown, bool differs, bool returned, time_point now) noexcept {
  if (rotating_ && now >= after(last_sign_, options_.rotation_end)) rotating_ = false;
  bool begins = differs && shown == sample_size;
  if (returned) {
    if (now >= after(last_return_, options_.rotation_end)) returns_ = 0;
    if (returns_ < returns_of_one_record) ++returns_;
    last_return_ = now;
    if (rotating_) last_sign_ = now;
    begins = begins || shown > 1 || returns_ >= returns_of_one_record;
  }
  if (begins && !rotating_) {
    rotating_ = true;
    reason_ = returned ? rotation_reason::returned : rotation_reason::sample_changed;
    last_sign_ = now;
  }
}

bool rotation::rotating() const noexcept {
  switch (options_.membership) {
    case membership::complete:
      return false;
    case membership::sampled:
      return true;
    case membership::automatic:
      break;
  }
  return rotating_;
}

rotation_reason rotation::reason() const noexcept {
  if (options_.membership != membership::automatic) return rotation_reason::option;
  return rotating_ ? reason_ : rotation_reason::none;
}

}  // namespace redial::inline REDIAL_ABI::detail
