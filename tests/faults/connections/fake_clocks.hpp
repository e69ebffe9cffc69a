// SPDX-License-Identifier: Apache-2.0
#pragma once

// The clocks of this program, which a test can put forward and back: whoever reads one by
// clock_gettime, and so std::chrono and Asio, sees it.

#include <redial/core/abi.hpp>

#include <chrono>

namespace redial::inline REDIAL_ABI::testing {

/// Somebody sets the time of day.
void move_wall_clock(std::chrono::seconds by);
/// The machine was asleep for so long: the monotonic clock stood still, that of uptime did not.
void sleep_machine(std::chrono::seconds time);
/// The process was stopped for so long.
void stop_process(std::chrono::seconds time);

}  // namespace redial::inline REDIAL_ABI::testing
