// SPDX-License-Identifier: Apache-2.0
#pragma once

// Namespaces of this process's own (namespaces(7)), for tests and for the benchmark programs.

#include <redial/core/abi.hpp>

namespace redial::inline REDIAL_ABI::testing {

/// Moves this process, which has no other thread, into a network with nothing but a loopback that
/// is up, and into what `more` names (`CLONE_NEWNS`). Whoever is not root is so in a user namespace
/// then, where the system permits those; and so are the programs that are started there.
///
/// \throws std::system_error naming the step. After a failed one there may be no way back: try it
/// in a child first.
void enter_namespaces(int more = 0);

}  // namespace redial::inline REDIAL_ABI::testing
