// SPDX-License-Identifier: Apache-2.0
#pragma once

// The largest piece of memory that this thread asks for while an object of this type lives.

#include <redial/core/abi.hpp>

#include <cstddef>

namespace redial::inline REDIAL_ABI::testing {

class largest_allocation {
 public:
  largest_allocation();
  ~largest_allocation();
  largest_allocation(const largest_allocation&) = delete;
  largest_allocation& operator=(const largest_allocation&) = delete;

  /// By `new`, on the thread of the caller.
  [[nodiscard]] std::size_t bytes() const noexcept;
};

}  // namespace redial::inline REDIAL_ABI::testing
