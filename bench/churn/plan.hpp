// SPDX-License-Identifier: Apache-2.0
#pragma once

// When requests ought to be sent. Open loop: the plan does not wait for answers, and latency counts
// from the planned time, so a client that stalls cannot hide it by sending less.

#include <redial/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace redial::churn {

/// From `from` on, `rate` requests per second.
struct load_phase {
  duration from{};
  std::uint32_t rate = 0;
};

/// Send times over a run, evenly spaced while the rate stays. A value type.
class send_plan {
 public:
  /// `rate` requests per second, 1 to 1000000, over `length`.
  /// \throws std::invalid_argument for another rate or a length that is not positive.
  send_plan(std::uint32_t rate, duration length);
  /// The first of `phases` begins at zero, each later one after the one before and before `length`.
  /// \throws std::invalid_argument for other phases, and as above.
  send_plan(const std::vector<load_phase>& phases, duration length);

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// Offset of request `index` from the start of the run. Computed from the index, so no rounding
  /// adds up within a phase.
  [[nodiscard]] duration at(std::size_t index) const noexcept;
  /// Requests planned at or before `offset`.
  [[nodiscard]] std::size_t due(duration offset) const noexcept;

 private:
  struct part {
    duration from{};
    std::int64_t rate = 0;
    std::size_t first = 0;  // index
    std::size_t size = 0;
  };

  std::vector<part> parts_;
  std::size_t size_ = 0;
};

}  // namespace redial::churn
