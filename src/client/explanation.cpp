// SPDX-License-Identifier: Apache-2.0
#include <redial/client/explanation.hpp>

namespace redial::inline REDIAL_ABI {

std::string to_string(const client_explanation& e) {
  return to_string(e.name) + "pool of " + to_string(e.pool);
}

}  // namespace redial::inline REDIAL_ABI
