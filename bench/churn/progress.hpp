// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a person watches while a run goes on.

#include "churn/load_generator.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace redial::churn {

struct watched_contestant {
  std::string id;
  std::string title;
  const live_counters* live = nullptr;
};

/// `failed so far: plain 21, curl 3`: only those with failures, so that it fits in a line.
[[nodiscard]] std::string failures_text(const std::vector<watched_contestant>& contestants);

/// Redraws a small table on a terminal; otherwise writes a line per second and per event. Of more
/// than three contestants only the failures are shown, for which there is room.
///
/// \par Threads One thread.
class progress {
 public:
  /// `backends` of them, lettered from `A`.
  progress(std::vector<watched_contestant> contestants, std::size_t backends, duration length);
  /// Leaves the last table standing.
  ~progress();
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;

  void event(duration at, const std::string& text);
  /// `states` as `stage::states()`. Call it often; it shows what is worth showing.
  void tick(duration at, std::string_view states);

 private:
  struct row {
    watched_contestant who;
    std::array<std::uint64_t, 26> before{};  // answers by backend, a second ago
    std::array<std::uint64_t, 26> rate{};    // in the last second
  };

  void measure();
  void draw(duration at, std::string_view states);
  void draw_line(duration at);
  void print_line(duration at) const;
  [[nodiscard]] bool is_crowded() const noexcept;

  std::vector<row> rows_;
  std::vector<watched_contestant> who_;
  std::size_t backends_;
  duration length_;
  bool terminal_;
  std::int64_t last_second_ = -1;
  std::size_t drawn_lines_ = 0;
};

}  // namespace redial::churn
