// SPDX-License-Identifier: Apache-2.0
#pragma once

// This program's own `operator new`: counts, and fails when it is told to. What Asio keeps a
// handler in while it is queued comes from `aligned_alloc` (Boost 1.81, C++17) and is neither. Two
// more of its allocations are counted, but do not fail: see the source.

#include <redial/core/abi.hpp>

#include <cstddef>

namespace redial::inline REDIAL_ABI::testing {

/// Blocks from `new` that nobody has deleted yet, in the whole process.
[[nodiscard]] std::size_t live_blocks() noexcept;
/// How often `new` was called by this thread.
[[nodiscard]] std::size_t allocations() noexcept;

/// While it lives, the `n`-th call of `new` by this thread throws `std::bad_alloc`, from 1 on and
/// once. 0: none does, whatever an outer one says, which goes on counting afterwards.
class failing_allocation {
 public:
  explicit failing_allocation(std::size_t n) noexcept;
  ~failing_allocation();
  failing_allocation(const failing_allocation&) = delete;
  failing_allocation& operator=(const failing_allocation&) = delete;

  [[nodiscard]] bool has_failed() const noexcept;

 private:
  const std::size_t n_;
  const std::size_t outer_;
};

}  // namespace redial::inline REDIAL_ABI::testing
