// SPDX-License-Identifier: Apache-2.0
#pragma once

// Keeps retries a small share of the load, so that they cannot become the load.

#include <redial/client/options.hpp>
#include <redial/core/time.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace redial::inline REDIAL_ABI::detail {

/// Counts calls and retries of the last `budget_window` and allows a retry while there are fewer
/// than `budget_percent` of the calls plus `budget_per_second` for each second of the window.
///
/// The window moves in ten steps: exact enough for a limit of this kind, and of constant size.
class retry_budget {
 public:
  explicit retry_budget(const retry_policy& policy) noexcept;

  void call_started(time_point now) noexcept;
  /// True, and one retry is spent; false when the budget does not allow one now.
  [[nodiscard]] bool try_spend(time_point now) noexcept;

 private:
  struct slice {
    std::int64_t number = -1;  // which step of time it stands for
    std::uint64_t calls = 0;
    std::uint64_t retries = 0;
  };
  static constexpr std::size_t slices = 10;

  [[nodiscard]] std::int64_t number_at(time_point now) const noexcept;
  slice& slice_at(time_point now) noexcept;

  double share_;     // retries per call
  double constant_;  // retries per window
  duration step_;
  std::array<slice, slices> ring_{};
};

}  // namespace redial::inline REDIAL_ABI::detail
