// SPDX-License-Identifier: Apache-2.0
#pragma once

// Does a name show all its addresses in every answer, or a sample? And who left it lately.

#include <redial/core/address.hpp>
#include <redial/core/time.hpp>
#include <redial/watch/options.hpp>

#include <cstddef>
#include <vector>

namespace redial::detail {

/// Complete or rotating. An option may fix it; else it follows the answers.
class rotation {
 public:
  explicit rotation(const watch_options& options) noexcept : options_(options) {}

  /// One independent answer of `shown` records. `differs`: from the one before. `returned`: it
  /// shows an address that went missing at most `rotation_memory` ago.
  void on_answer(std::size_t shown, bool differs, bool returned, time_point now) noexcept;

  [[nodiscard]] bool rotating() const noexcept;

 private:
  const watch_options& options_;
  bool rotating_ = false;
  unsigned returns_ = 0;
  time_point last_return_{};
  time_point last_sign_{};  // when rotating began, or the last return after that
};

/// Addresses that departed, each for `rotation_memory` since it went missing, at most 256.
class departures {
 public:
  void add(const address& where, time_point missing_since);
  void forget_before(time_point when) noexcept;
  void remove(const address& where) noexcept;
  [[nodiscard]] bool has_any_of(const std::vector<address>& sorted) const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

 private:
  struct entry {
    address where;
    time_point missing_since;
  };
  std::vector<entry> entries_;  // in the order of departing
};

}  // namespace redial::detail
