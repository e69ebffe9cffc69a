// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a pool ends in good order.

#include <redial/core/error.hpp>
#include <redial/core/time.hpp>

namespace redial::inline REDIAL_ABI::detail {

struct drain_plan {
  bool on = false;       ///< Connections are only for who waits; none idles any more.
  bool refuses = false;  ///< Nobody may begin to wait, and the pool closes when nothing is left.
  time_point by = time_point::max();  ///< It closes then in any case.
  error_code result = errc::closed;   ///< For who waits for the end.
};

}  // namespace redial::inline REDIAL_ABI::detail
