// SPDX-License-Identifier: Apache-2.0
#pragma once

// Everything that one object has counted, and a way to read it that does not keep it alive.

#include <redial/core/abi.hpp>
#include <redial/core/counters.hpp>
#include <redial/core/histogram.hpp>

#include <functional>
#include <optional>
#include <string>

namespace redial::inline REDIAL_ABI {

/// Of a discovery (all its names).
struct dns_measurements {
  dns_counters counters;      ///< Since its construction.
  dns_histograms histograms;  ///< Since its construction.
};

/// Of one pool.
struct pool_measurements {
  pool_counters counters;      ///< Since its construction.
  pool_gauges gauges;          ///< At this moment.
  pool_histograms histograms;  ///< Since its construction.
};

/// Of one client, its pool aside.
struct client_measurements {
  client_counters counters;      ///< Since its construction.
  client_histograms histograms;  ///< Since its construction.
};

/// Of one object at one moment: a discovery has the first part, a pool the second, a client the
/// second and the third.
struct measurements {
  measurements() = default;

  /// The target's canonical text; empty for a discovery.
  std::string name;
  std::optional<dns_measurements> dns;        ///< Of a discovery.
  std::optional<pool_measurements> pool;      ///< Of a pool, or of a client's.
  std::optional<client_measurements> client;  ///< Of a client.
};

/// Reads one object. Nothing when the object is gone. Safe from any thread, also while the object
/// is being destroyed.
using meter = std::function<std::optional<measurements>()>;

}  // namespace redial::inline REDIAL_ABI
