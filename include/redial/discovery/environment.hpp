// SPDX-License-Identifier: Apache-2.0
#pragma once

// Targets from environment variables, for those who ask for them.

#include <redial/core/abi.hpp>
#include <redial/core/target.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace redial::inline REDIAL_ABI {

/// The target of each `SERVICE_<port>_NAME=<name>` in `environment`, as `<scheme>://<name>:<port>`,
/// in the order of ports: the form in which container registrars (Registrator's `SERVICE_80_NAME`)
/// tell a container what its ports are called.
///
/// Never used by the library itself: what somebody put into the environment must not decide whom a
/// service talks to unless its code says so.
///
/// `environment` is a null-terminated list of `NAME=value`, such as `environ`; it is read here
/// only. Variables of another form are passed over. `scheme` is one that takes a port (`tcp`,
/// `tls`, `http`, `https`). \throws std::invalid_argument naming the variable, for a value or
/// scheme that makes no target.
[[nodiscard]] REDIAL_API std::vector<target> targets_in_environment(
    const char* const* environment, std::string_view scheme = "tcp");

}  // namespace redial::inline REDIAL_ABI
