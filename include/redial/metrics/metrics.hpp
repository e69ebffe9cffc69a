// SPDX-License-Identifier: Apache-2.0
#pragma once

// What redial counts, in Prometheus' text format.

#include <redial/core/abi.hpp>
#include <redial/core/measurements.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace redial::inline REDIAL_ABI {

/// Validated by `metrics`.
struct metrics_options {
  metrics_options() = default;

  /// Different values of the label `pool`; what would need more is added up under `other`. Each
  /// costs about 150 series, of a pool without a client 120. 1 to 100000.
  std::size_t max_pools = 100;
};

/// Collects from clients, pools and discoveries whenever it is asked.
///
/// \code
///   redial::metrics figures;
///   figures.add(*names);                 // std::shared_ptr<redial::discovery>
///   figures.add(api);                    // a client or pool: the label is its target
///   ... respond(figures.text(), redial::metrics::content_type);
/// \endcode
///
/// Everything begins with `redial_`; units are seconds. The label `pool` is the target's canonical
/// text, or the text given; those with the same text are added up. Labels are printable ASCII
/// (other bytes as `\xNN`), and cut after 120 bytes. No label holds an address of a peer unless the
/// target does.
///
/// It does not keep what it reads alive. What an object had counted when it was last read is kept
/// after its end, so that no counter goes back; its gauges are not.
///
/// \par Threads Safe from any thread.
/// \par Lifetime An object may be destroyed at any time, but its executor's context must not be
///      while `text()` runs in another thread.
/// \par Source Prometheus text exposition format 0.0.4; OpenTelemetry's semantic conventions for
///      what there is to measure.
class REDIAL_API metrics {
 public:
  /// \throws std::invalid_argument for an illegal option.
  explicit metrics(const metrics_options& options = {});
  /// The other one may only be assigned to or destroyed then.
  metrics(metrics&&) noexcept;
  /// The other one may only be assigned to or destroyed then.
  metrics& operator=(metrics&&) noexcept;
  ~metrics();

  /// A `discovery`, a pool or a client. `pool`: the label's value; empty: the target. (Without
  /// meaning for a discovery.)
  template <class Measured>
  void add(const Measured& what, std::string_view pool = {}) {
    add_meter(what.meter(), pool);
  }
  /// `read` is called by `text()` and must not call it. \throws std::invalid_argument for an empty
  /// one.
  void add_meter(meter read, std::string_view pool = {});

  /// One line for each figure, with `# HELP` and `# TYPE`. Reads every object, one lock each.
  [[nodiscard]] std::string text() const;
  /// For the header field of the response that carries it.
  static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace redial::inline REDIAL_ABI
