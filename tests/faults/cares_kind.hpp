// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which c-ares this is compiled with, for the few rows where versions differ.

#include <redial/core/abi.hpp>

#include <ares_version.h>

namespace redial::inline REDIAL_ABI::testing {

/// It parses responses itself, and hands on what it wrote anew.
#if ARES_VERSION >= 0x012000
inline constexpr bool newer_cares = true;
#else
inline constexpr bool newer_cares = false;  // 1.18.1
#endif

}  // namespace redial::inline REDIAL_ABI::testing
