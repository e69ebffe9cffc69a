// SPDX-License-Identifier: Apache-2.0
#pragma once

// This program's own `operator new`: counts.

#include <cstddef>

namespace redial::testing {

/// Blocks from `new` that nobody has deleted yet, in the whole process.
[[nodiscard]] std::size_t live_blocks() noexcept;
/// How often `new` was called by this thread.
[[nodiscard]] std::size_t allocations() noexcept;

}  // namespace redial::testing
