// SPDX-License-Identifier: Apache-2.0
#pragma once

// Does a name show all its addresses in every answer, or a sample? And who left it lately.

#include <redial/core/time.hpp>
#include <redial/watch/explanation.hpp>
#include <redial/watch/options.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// Complete or rotating. An option may fix it; else it follows the answers.
class rotation {
 public:
  explicit rotation(const watch_options& options) noexcept : options_(options) {}

  /// One independent answer of `shown` records. `differs`: from the one before. `returned`: it
  /// shows an address that went missing at most `rotation_memory` ago.
  void on_answer(std::size_t shown, bool differs, bool returned, time_point now) noexcept;

  [[nodiscard]] bool rotating() const noexcept;
  [[nodiscard]] rotation_reason reason() const noexcept;
  /// When the reason was last seen; meaningless while not rotating by the answers.
  [[nodiscard]] time_point last_sign() const noexcept { return last_sign_; }

 private:
  const watch_options& options_;
  bool rotating_ = false;
  rotation_reason reason_ = rotation_reason::none;
  unsigned returns_ = 0;
  time_point last_return_{};
  time_point last_sign_{};  // when rotating began, or the last return after that
};

/// What departed, each for `rotation_memory` since it went missing, at most 256.
template <class Key>
class departures {
 public:
  void add(const Key& where, time_point missing_since) {
    // Bounds the memory of a name that changes without end.
    constexpr std::size_t most = 256;
    if (entries_.size() >= most) entries_.erase(entries_.begin());
    entries_.push_back({where, missing_since});
  }
  void forget_before(time_point when) noexcept {
    std::erase_if(entries_, [when](const entry& e) { return e.missing_since < when; });
  }
  void remove(const Key& where) noexcept {
    std::erase_if(entries_, [&where](const entry& e) { return e.where == where; });
  }
  [[nodiscard]] bool has_any_of(const std::vector<Key>& sorted) const noexcept {
    return std::any_of(entries_.begin(), entries_.end(), [&sorted](const entry& e) {
      return std::binary_search(sorted.begin(), sorted.end(), e.where);
    });
  }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

 private:
  struct entry {
    Key where;
    time_point missing_since;
  };
  std::vector<entry> entries_;  // in the order of departing
};

}  // namespace redial::inline REDIAL_ABI::detail
