// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sends requests by the plan and writes down what became of each.

#include "churn/contestant.hpp"
#include "churn/plan.hpp"
#include "churn/record.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

namespace redial::churn {

struct load_settings {
  load_settings() = default;

  std::uint32_t rate = 200;  ///< Requests per second ...
  /// ... or, when there are any, by these.
  std::vector<load_phase> phases;
  duration length{};                            ///< Over which they are planned.
  duration deadline = std::chrono::seconds{2};  ///< From the planned send time.
  /// A request that finds so many unanswered ones before it fails unsent.
  std::uint32_t in_flight_limit = 1000;
};

/// What can be seen from another thread while the load runs.
struct live_counters {
  std::atomic<std::uint64_t> sent{0};
  std::atomic<std::uint64_t> ok{0};
  std::atomic<std::uint64_t> failed{0};
  /// Answers by the backend's letter.
  std::array<std::atomic<std::uint64_t>, 26> by_backend{};
};

/// Open-loop load on one contestant.
///
/// \par Threads Lives on its io_context's thread; `live()` may be read anywhere.
class load_generator {
 public:
  load_generator(boost::asio::io_context& io, contestant& c, const load_settings& settings);

  /// Begins at `start`. Calls `finished` when every request is accounted for, at the latest one
  /// second after the last deadline.
  void run(time_point start, std::function<void()> finished);
  [[nodiscard]] const live_counters& live() const noexcept { return live_; }
  /// After `finished`: one record per planned request, in the order of the plan.
  [[nodiscard]] std::vector<request_record> take_records() noexcept { return std::move(records_); }

 private:
  void wait_for_next();
  void send_due();
  void send(std::size_t index, time_point now);
  void completed(std::size_t index, reply r);
  void give_up();
  void maybe_finish();

  boost::asio::steady_timer timer_;
  contestant& contestant_;
  load_settings settings_;
  send_plan plan_;
  time_point start_{};
  std::size_t next_ = 0;
  std::size_t in_flight_ = 0;
  std::vector<request_record> records_;
  std::vector<bool> answered_;
  std::function<void()> finished_;
  live_counters live_;
};

}  // namespace redial::churn
