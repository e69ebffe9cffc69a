// SPDX-License-Identifier: Apache-2.0
#pragma once

// Requests at a given rate, whatever becomes of earlier ones.

#include <redial/http/http_client.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {

/// Idempotent GETs in an open loop: the nth starts n intervals after the first, also when the last
/// ones have not ended, and its time counts from then.
///
/// \par Lifetime Stop it, and run the executor until `in_flight()` is 0, before it or the client
///     goes.
class open_load {
 public:
  open_load(boost::asio::io_context& io,
            http_client& client,
            std::chrono::milliseconds interval,
            std::chrono::milliseconds deadline)
      : client_(client), timer_(io), interval_(interval), deadline_(deadline) {}

  void start() {
    next_ = clock::now();
    wait();
  }
  void stop() {
    stopped_ = true;
    timer_.cancel();
  }

  [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }
  [[nodiscard]] std::size_t served() const noexcept { return times_.size(); }
  [[nodiscard]] std::size_t failed() const noexcept { return failed_; }
  /// What the first failure said, with its attempts.
  [[nodiscard]] const std::string& first_failure() const noexcept { return first_failure_; }

  /// `2400 served, 0 failed; ms: p50 0.4 p90 0.6 p99 1.2 p99.9 210.3 max 411.0`
  [[nodiscard]] std::string figures() {
    std::sort(times_.begin(), times_.end());
    char text[200];
    std::snprintf(text,
                  sizeof text,
                  "%zu served, %zu failed; ms: p50 %.1f p90 %.1f p99 %.1f p99.9 %.1f max %.1f",
                  served(),
                  failed_,
                  percentile(50),
                  percentile(90),
                  percentile(99),
                  percentile(99.9),
                  percentile(100));
    return text;
  }

 private:
  void wait() {
    timer_.expires_at(next_);
    timer_.async_wait([this](auto ec) {
      if (ec || stopped_) return;
      for (const auto now = clock::now(); next_ <= now; next_ += interval_) send(next_);
      wait();
    });
  }
  void send(time_point began) {
    ++in_flight_;
    client_.async_get(
        "/", call_options(began + deadline_), [this, began](error_code ec, const auto& r) {
          --in_flight_;
          if (!ec && r.status == 200) return times_.push_back(clock::now() - began);
          if (failed_++ == 0) {
            first_failure_ =
                ec.message() + ", status " + std::to_string(r.status) + "\n" + r.history.text();
          }
        });
  }
  [[nodiscard]] double percentile(double p) const {
    if (times_.empty()) return 0;
    const auto n = static_cast<double>(times_.size());
    const auto rank = static_cast<std::size_t>(std::ceil(n * p / 100));
    return std::chrono::duration<double, std::milli>(times_[std::max<std::size_t>(rank, 1) - 1])
        .count();
  }

  http_client& client_;
  boost::asio::steady_timer timer_;
  std::chrono::milliseconds interval_;
  std::chrono::milliseconds deadline_;
  time_point next_{};
  bool stopped_ = false;
  std::vector<duration> times_;
  std::size_t failed_ = 0;
  std::size_t in_flight_ = 0;
  std::string first_failure_;
};

}  // namespace redial::inline REDIAL_ABI::testing
