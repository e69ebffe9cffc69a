// SPDX-License-Identifier: Apache-2.0
#pragma once

// Figures by family and labels, and their text.

#include <redial/core/histogram.hpp>
#include <redial/core/measurements.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {

/// In the order of the text. Names and help are in samples.cpp.
enum class family : std::uint8_t {
  build_info,
  dns_lookup_duration,
  dns_queries,
  dns_refreshes,
  dns_coalesced,
  dns_forced,
  dns_deferred,
  dns_dropped_records,
  dns_channel_rebuilds,
  endpoints,
  endpoint_changes,
  departed_use,
  retained_leases,
  connections,
  connects,
  connect_failures,
  connections_created,
  connections_closed,
  connect_duration,
  checkout_duration,
  pending_checkouts,
  checkout_timeouts,
  checkout_rejections,
  resets,
  resets_suppressed,
  calls,
  call_failures,
  call_duration,
  attempts,
  retries,
  retries_denied,
  hedges,
  ejections,
  quarantines,
  panics,
  probes,
  probe_failures,
};

/// `text` as the value of a label, escaped and printable. What is longer than `longest_label` bytes
/// then is cut, and ends with `...`.
[[nodiscard]] std::string label_value(std::string_view text);
inline constexpr std::size_t longest_label = 120;

class samples {
 public:
  /// `labels`: `a="x",b="y"` or empty. A second one of the same series is added to it.
  void add(family f, const std::string& labels, std::uint64_t n) { numbers_[{f, labels}] += n; }
  void add(family f, const std::string& labels, const latency_histogram& h) {
    histograms_[{f, labels}] += h;
  }
  /// Everything about one object. `pool`: a label's value, escaped already.
  void add(const measurements& m, const std::string& pool);

  samples& operator+=(const samples& other);
  /// What stays true of an object that is gone: all but the gauges.
  [[nodiscard]] samples lasting() const;

  [[nodiscard]] std::string text() const;

 private:
  using series = std::pair<family, std::string>;

  void add(const dns_measurements& m);
  void add(const pool_measurements& m, const std::string& pool);
  void add(const client_measurements& m, const std::string& pool);

  std::map<series, std::uint64_t> numbers_;
  std::map<series, latency_histogram> histograms_;
};

}  // namespace redial::inline REDIAL_ABI::detail
