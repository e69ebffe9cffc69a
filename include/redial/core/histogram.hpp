// SPDX-License-Identifier: Apache-2.0
#pragma once

// How long things took, counted in fixed buckets.

#include <redial/core/abi.hpp>
#include <redial/core/time.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace redial::inline REDIAL_ABI {

/// Durations by bucket. A value: a copy is a snapshot.
///
/// Counts and the sum are 64 bit and wrap to zero in theory; with a thousand durations measured at
/// any time the sum lasts for 580 years.
///
/// \par Threads None of its own.
class REDIAL_API latency_histogram {
 public:
  /// Upper bounds of the buckets, inclusive; one more bucket has no bound. 5 ms to 10 s are those
  /// that OpenTelemetry advises for `dns.lookup.duration` and its connection pools. Below, because
  /// within a data centre nearly everything would fall into the first one; above, because departed
  /// addresses of a rotating name may be used for minutes.
  static constexpr std::array<std::chrono::microseconds, 20> bounds{
      std::chrono::microseconds{500},  std::chrono::milliseconds{1},
      std::chrono::microseconds{2500}, std::chrono::milliseconds{5},
      std::chrono::milliseconds{10},   std::chrono::milliseconds{25},
      std::chrono::milliseconds{50},   std::chrono::milliseconds{75},
      std::chrono::milliseconds{100},  std::chrono::milliseconds{250},
      std::chrono::milliseconds{500},  std::chrono::milliseconds{750},
      std::chrono::seconds{1},         std::chrono::milliseconds{2500},
      std::chrono::seconds{5},         std::chrono::milliseconds{7500},
      std::chrono::seconds{10},        std::chrono::seconds{30},
      std::chrono::seconds{60},        std::chrono::seconds{300}};

  /// Counts `took`, `times` times. Negative: as zero.
  void add(duration took, std::uint64_t times = 1) noexcept;
  /// Adds what the other one has counted.
  latency_histogram& operator+=(const latency_histogram& other) noexcept;

  /// Of one bucket alone; the last index, `bounds.size()`, is of the one without a bound.
  [[nodiscard]] std::uint64_t bucket(std::size_t index) const noexcept { return buckets_[index]; }
  /// Of all buckets.
  [[nodiscard]] std::uint64_t count() const noexcept;
  /// To the microsecond for each duration added.
  [[nodiscard]] double sum_seconds() const noexcept { return static_cast<double>(sum_) / 1e6; }

  friend bool operator==(const latency_histogram&, const latency_histogram&) = default;

 private:
  std::array<std::uint64_t, bounds.size() + 1> buckets_{};
  std::uint64_t sum_ = 0;  // microseconds
};

/// Of a discovery (all its names).
struct dns_histograms {
  latency_histogram lookup;  ///< From a question to its answer or failure, whoever gave it.
};

/// Of one pool.
struct pool_histograms {
  latency_histogram connect;  ///< Of connections that opened: TCP, TLS, identity.
  /// From asking for a connection to having it. Those who found one idle count as zero.
  latency_histogram checkout;
  /// Of endpoints that served and left: from the first snapshot without the endpoint, or with it
  /// as absent, to the start of the last lease on it; zero when there was none after that. Counted
  /// when it stops serving for good. To about a quarter of a second (the pool's coarse clock).
  latency_histogram departed_use;
};

/// Of one client.
struct client_histograms {
  latency_histogram call;  ///< From the call to its completion, with all its attempts and waits.
};

}  // namespace redial::inline REDIAL_ABI
