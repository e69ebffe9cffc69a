// SPDX-License-Identifier: Apache-2.0
#include <redial/core/endpoint.hpp>
#include <redial/core/escaped.hpp>

namespace redial::inline REDIAL_ABI {

std::string to_string(const endpoint& e) {
  std::string text = e.addr.to_string();
  if (e.addr.is_v6()) text = '[' + text + ']';
  text += ':' + std::to_string(e.port);
  // Came from a name server: it may hold anything.
  if (!e.srv_target.empty()) text += " (" + escaped(e.srv_target, 253) + ')';
  return text;
}

}  // namespace redial::inline REDIAL_ABI
