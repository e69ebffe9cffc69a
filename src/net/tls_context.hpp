// SPDX-License-Identifier: Apache-2.0
#pragma once

// Options made into an OpenSSL context.

#include <redial/core/host_name.hpp>
#include <redial/net/tls_options.hpp>

#include <boost/asio/ssl/context.hpp>

namespace redial::inline REDIAL_ABI::detail {

/// \throws std::invalid_argument naming the option, the file and the reason.
[[nodiscard]] boost::asio::ssl::context make_tls_context(const tls_options& options);

/// `options.server_name`, or else the host of the target.
/// \throws std::invalid_argument when it is not a host.
[[nodiscard]] host_name identity_of(const tls_options& options, const host_name& of_target);

}  // namespace redial::inline REDIAL_ABI::detail
