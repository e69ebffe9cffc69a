// SPDX-License-Identifier: Apache-2.0
#pragma once

// Figures and series as comma-separated values (RFC 4180, with plain line ends).

#include "churn/record.hpp"

#include <string>

namespace redial::churn {

/// A row per run and contestant with every figure (`measures()`). Who was absent has empty figures
/// and the reason.
[[nodiscard]] std::string to_csv(const suite_record& suite);

/// A row per run, contestant and second in which requests were planned: how many, how many of them
/// ended well and failed, percentiles of their latency, and how many were in flight when the second
/// began.
[[nodiscard]] std::string series_csv(const suite_record& suite);

}  // namespace redial::churn
