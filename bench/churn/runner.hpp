// SPDX-License-Identifier: Apache-2.0
#pragma once

// Plays a scenario to several clients at once.

#include "churn/contestant.hpp"
#include "churn/record.hpp"
#include "churn/scenario.hpp"
#include "churn/service.hpp"
#include "churn/stage.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace redial::churn {

struct entrant {
  std::string id;  ///< As the contestant's own.
  std::string title;
  /// Why it cannot take part against such a service (no TLS, no SRV, ...); empty when it can. A
  /// null function means that it always can.
  std::function<std::string(const service_address&)> refuses = nullptr;
  std::function<std::unique_ptr<contestant>(const boost::asio::any_io_executor&,
                                            const service_address&)>
      make;
};

struct run_options {
  run_options() = default;

  std::uint32_t rate = 200;
  duration deadline = std::chrono::seconds{2};
  std::uint32_t in_flight_limit = 1000;
  std::uint64_t seed = 1;
  stage_means means;
};

/// Every client that does not refuse runs on a thread and io_context of its own, under the same
/// load, against the same backends and name server. Shows progress on standard output. Call it on
/// the main thread.
///
/// \throws std::runtime_error when `why_not_played` has a reason, `bench::interrupted` when
/// an interruption_guard has noted a signal, std::exception when the harness itself fails. Nothing
/// is left behind either way.
[[nodiscard]] run_record run(const scenario& s,
                             const std::vector<entrant>& entrants,
                             const run_options& options);

}  // namespace redial::churn
