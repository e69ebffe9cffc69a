// SPDX-License-Identifier: Apache-2.0
#pragma once

// One attempt: write the request, read the response.

#include <redial/client/call.hpp>
#include <redial/net/net_connection.hpp>

#include "http/http_call.hpp"
#include "http/response_reader.hpp"

#include <memory>

namespace redial::inline REDIAL_ABI::detail {

/// Runs on the connection's executor and completes `done` once. Deadlines and cancellation are the
/// call's: it closes the connection, and the pending read or write fails.
void start_exchange(std::shared_ptr<http_call> call,
                    const response_limits& limits,
                    attempt& a,
                    net_connection& connection,
                    operation_handler done);

}  // namespace redial::inline REDIAL_ABI::detail
