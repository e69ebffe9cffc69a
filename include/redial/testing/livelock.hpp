// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a simulation that runs in circles ends.

#include <redial/core/abi.hpp>

#include <stdexcept>

namespace redial::inline REDIAL_ABI::testing {

/// Handlers or timers kept causing each other beyond the simulation's limits.
class REDIAL_API livelock : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace redial::inline REDIAL_ABI::testing
