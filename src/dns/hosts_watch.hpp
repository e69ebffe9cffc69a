// SPDX-License-Identifier: Apache-2.0
#pragma once

// What we believe of a hosts file that others rewrite.

#include <redial/core/time.hpp>

#include "dns/hosts_table.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

struct hosts_step {
  /// Names whose addresses differ from before, sorted, each once.
  std::vector<std::string> changed;
};

/// What a text adds counts at once. What it lacks (an address of a name, or a whole name) goes
/// `removal_delay` after the first text that lacked it, unless a text has it again before. So of a
/// role that moves, the new address is added first and the old one goes later.
///
/// A file that is missing, empty, binary or otherwise not credible removes nothing, ever: what it
/// lacks stays, and so does what was about to go. Both wait for the next credible text, and from it
/// the whole `removal_delay`.
///
/// Pure. Texts are to be settled ones, see `stable_file`.
class hosts_watch {
 public:
  static constexpr duration removal_delay = std::chrono::seconds{5};

  /// The file reads `settled` now; `nullopt`: it is missing or unreadable.
  [[nodiscard]] hosts_step on_text(const std::optional<std::string>& settled, time_point now);
  [[nodiscard]] hosts_step on_time(time_point now);
  /// Nobody will look at the file for some time. As after a text that removes nothing: what is
  /// about to go waits for the next credible text, and from it the whole `removal_delay`.
  void hold() noexcept;
  /// When to call `on_time`; `time_point::max()`: nothing is about to go.
  [[nodiscard]] time_point next_time() const noexcept;

  /// `name` in canonical form. Sorted, never empty; null: no hit. Valid until the next step.
  [[nodiscard]] const std::vector<address>* find(std::string_view name) const noexcept;

  /// Of the last text.
  [[nodiscard]] const hosts_counts& counts() const noexcept { return counts_; }
  /// False when the last text was one that removes nothing.
  [[nodiscard]] bool is_credible() const noexcept { return credible_; }

 private:
  struct departure {
    address where;
    time_point goes_at;  // max(): not before a credible text
  };
  using departures = std::vector<departure>;
  using leaving_names = std::map<std::string, departures, std::less<>>;

  void mark(const std::string& name,
            const std::vector<address>& lacking,
            const departures& before,
            time_point now);

  hosts_entries known_;  // what the last text has, and what is leaving
  // What is known and not in the last text. No list is empty.
  leaving_names leaving_;
  hosts_counts counts_;
  bool credible_ = false;
};

}  // namespace redial::inline REDIAL_ABI::detail
