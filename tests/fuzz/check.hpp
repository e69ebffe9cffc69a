// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a fuzz target says when a promise is broken.

#include <cstdio>
#include <cstdlib>

namespace redial::fuzz {

/// Ends the program when `holds` is false, so that the fuzzer keeps the input and a replay fails.
inline void demand(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

}  // namespace redial::fuzz
