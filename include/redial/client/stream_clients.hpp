// SPDX-License-Identifier: Apache-2.0
#pragma once

// Clients of byte streams: TCP and TLS.

#include <redial/client/client.hpp>
#include <redial/core/abi.hpp>
#include <redial/net/tcp_connection.hpp>
#include <redial/net/tcp_options.hpp>
#include <redial/net/tls_connection.hpp>
#include <redial/net/tls_options.hpp>

namespace redial::inline REDIAL_ABI {

using tcp_client = basic_client<tcp_connection>;  ///< Calls over plain TCP.
using tls_client = basic_client<tls_connection>;  ///< Calls over TLS.

/// A client of `tcp://`, `http://`, `srv://`, `srv+http://` or `static://`. `time` null: the
/// executor's own clock.
/// \throws std::invalid_argument for an illegal option, or a target that wants TLS.
[[nodiscard]] REDIAL_API tcp_client make_tcp_client(boost::asio::any_io_executor executor,
                                                    std::shared_ptr<discovery> names,
                                                    const target& t,
                                                    const client_options& options = {},
                                                    const tcp_options& tcp = {},
                                                    std::shared_ptr<scheduler> time = nullptr);

/// A client of `tls://`, `https://`, `srv+tls://` or `srv+https://`. The certificate must speak for
/// `target::identity()`. `time` null: the executor's own clock.
/// \throws std::invalid_argument for an illegal option, or a target that wants no TLS.
[[nodiscard]] REDIAL_API tls_client make_tls_client(boost::asio::any_io_executor executor,
                                                    std::shared_ptr<discovery> names,
                                                    const target& t,
                                                    const client_options& options = {},
                                                    const tcp_options& tcp = {},
                                                    const tls_options& tls = {},
                                                    std::shared_ptr<scheduler> time = nullptr);

}  // namespace redial::inline REDIAL_ABI
