// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <redial/discovery/discovery.hpp>

namespace redial::detail {

/// \throws std::invalid_argument naming the option, its value and the legal range.
void validate(const discovery_options& o);

}  // namespace redial::detail
