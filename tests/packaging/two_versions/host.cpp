// SPDX-License-Identifier: Apache-2.0
// One GET by the version it is built with, one by its plug-in, which has the next version.
#include "../consumer/backend.hpp"
#include "one_get.hpp"

bool get_in_plugin(std::uint16_t port);

int main() {
  backend server(2);
  const bool ours = get_once(server.port());
  const bool theirs = get_in_plugin(server.port());
  return ours && theirs ? 0 : 1;
}
