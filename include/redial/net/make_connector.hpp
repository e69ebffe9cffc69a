// SPDX-License-Identifier: Apache-2.0
#pragma once

// The connector that fits a target.

#include <redial/core/abi.hpp>
#include <redial/core/target.hpp>
#include <redial/net/tcp_options.hpp>
#include <redial/net/tls_options.hpp>
#include <redial/ports/connector.hpp>

#include <memory>

namespace redial::inline REDIAL_ABI {

/// A `tls_connector` for `https` and `tls` targets, else a `tcp_connector`. Either way connections
/// are `net_connection`s.
///
/// \throws std::invalid_argument naming the option. TLS options are looked at only where TLS is
/// used.
[[nodiscard]] REDIAL_API std::shared_ptr<connector> make_connector(
    const target& to,
    const tcp_options& tcp = tcp_options(),
    const tls_options& tls = tls_options());

}  // namespace redial::inline REDIAL_ABI
