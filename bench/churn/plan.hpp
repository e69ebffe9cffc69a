// SPDX-License-Identifier: Apache-2.0
#pragma once

// When requests ought to be sent. Open loop: the plan does not wait for answers, and latency counts
// from the planned time, so a client that stalls cannot hide it by sending less.

#include <redial/core/time.hpp>

#include <cstddef>
#include <cstdint>

namespace redial::churn {

/// Evenly spaced send times over a run. A value type.
class send_plan {
 public:
  /// `rate` requests per second, 1 to 1000000, over `length`.
  /// \throws std::invalid_argument for another rate or a length that is not positive.
  send_plan(std::uint32_t rate, duration length);

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// Offset of request `index` from the start of the run. Computed from the index, so no rounding
  /// adds up.
  [[nodiscard]] duration at(std::size_t index) const noexcept;
  /// Requests planned at or before `offset`.
  [[nodiscard]] std::size_t due(duration offset) const noexcept;

 private:
  std::int64_t rate_;
  std::size_t size_;
};

}  // namespace redial::churn
