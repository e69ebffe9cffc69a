// SPDX-License-Identifier: Apache-2.0
#pragma once

// What redial must reach in a scenario, computed from runs.

#include "churn/record.hpp"
#include "support/figures.hpp"

#include <functional>
#include <vector>

namespace redial::churn {

/// The same load, alone on the machine, with and without what the scenario does.
struct fault_pair {
  run_record with;
  run_record without;
};

/// All runs of one scenario that its limits are judged by.
struct limit_runs {
  std::vector<fault_pair> pairs;
  /// With the tuned libcurl beside redial; may be empty.
  std::vector<run_record> beside;
};

/// The contestant that redial must not open more connections than: a libcurl with a DNS cache of
/// 10 s and connections that live 10 s.
inline constexpr const char* tuned_rival = "curltuned";

/// The figures with their demands. Counts that must be zero show the worst run, everything else the
/// median:
/// - failed requests: none, in any run.
/// - requests to an address later than `run_settings::allowed_stale` after it left DNS: none;
///   where answers are complete.
/// - p99 with the fault : without, of requests planned outside the fault's `sudden` spans (in both
///   runs): at most 1.2.
/// - p99.9: under 1 s; where there are `sudden` spans.
/// - connections opened, redial : tuned libcurl: at most 1; where both took part in a run.
/// - DNS queries : names x 2 families x (1 + length / effective TTL): at most 1.1; where DNS has
///   no faults and `effective_ttl` is not zero. The 1 is the first question, with which every
///   client begins. The owner of SRV records counts as one family.
///
/// \throws std::invalid_argument without a pair, or when redial is missing in a run.
[[nodiscard]] std::vector<bench::figure> limit_figures(const limit_runs& runs);

/// Plays `count` pairs, the run with the fault first in every other one, so that what the machine
/// does over time meets both alike.
[[nodiscard]] std::vector<fault_pair> play_pairs(std::size_t count,
                                                 const std::function<run_record()>& with,
                                                 const std::function<run_record()>& without);

}  // namespace redial::churn
