// SPDX-License-Identifier: Apache-2.0
#include <redial/core/version.hpp>

namespace redial::inline REDIAL_ABI {

// The number itself lives in CMakeLists.txt.
std::string_view version() noexcept { return REDIAL_VERSION_TEXT; }

}  // namespace redial::inline REDIAL_ABI
