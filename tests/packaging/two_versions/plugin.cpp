// SPDX-License-Identifier: Apache-2.0
#include "one_get.hpp"

bool get_in_plugin(std::uint16_t port) { return get_once(port); }
