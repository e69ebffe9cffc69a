// SPDX-License-Identifier: Apache-2.0
#pragma once

// Any other program that speaks docs/churn_line_protocol.md.

#include "churn/contestant.hpp"
#include "churn/external_process.hpp"
#include "churn/runner.hpp"
#include "churn/service.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <string>

namespace redial::churn {

struct external_client {
  std::string id;  ///< As `contestant::id()`.
  std::string command;
  environment_variables variables = {};  ///< Besides those of the protocol.
};

/// Starts `client.command` at once, and does not start it again: when it has ended, or says a line
/// without end, every request fails. A line that means nothing is passed over. The docstring of
/// `contestant` holds, whatever the program does.
/// \throws std::system_error when it cannot be started.
[[nodiscard]] std::unique_ptr<contestant> make_external(
    const boost::asio::any_io_executor& executor,
    const service_address& where,
    const external_client& client);

/// `name=command`: a program that speaks docs/churn_line_protocol.md. The name is its id and title.
/// \throws std::invalid_argument when it is not of this form or the name is no id.
[[nodiscard]] entrant external_entrant(const std::string& name_and_command);

}  // namespace redial::churn
