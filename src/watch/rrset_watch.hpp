// SPDX-License-Identifier: Apache-2.0
#pragma once

// One question about a name (A or AAAA): its refreshes, its members, and what failures mean.

#include <redial/core/answer.hpp>
#include <redial/core/error.hpp>
#include <redial/core/time.hpp>
#include <redial/watch/options.hpp>

#include "watch/evidence.hpp"
#include "watch/random_source.hpp"
#include "watch/refresh_machine.hpp"

#include <cstddef>
#include <cstdint>

namespace redial::detail {

class rrset_watch {
 public:
  /// What is known about the set as a whole.
  enum class verdict {
    unknown,       ///< No definite answer yet.
    has_records,   ///< The last definite answer had some.
    no_data,       ///< The last definite answer was NODATA.
    name_missing,  ///< The last definite answer was NXDOMAIN.
  };

  /// `options` and `random` must outlive the object.
  rrset_watch(record_type type, const watch_options& options, random_source& random) noexcept
      : type_(type), options_(options), refresh_(options, random), members_(options) {}

  /// Returns how many records were left out because of `room`.
  std::uint32_t on_answer(const answer& received,
                          time_point now,
                          std::size_t room,
                          member_changes& changes);
  void on_time(time_point now, member_changes& changes);
  /// The other family holds fresh addresses: a NODATA here says what it seems to say.
  void believe_no_data(time_point now, member_changes& changes);

  /// `fresh` as far as anybody is told: a refresh at expiry may take a moment, so a set turns stale
  /// when that refresh failed or a second has passed.
  [[nodiscard]] freshness state(time_point now) const noexcept;
  [[nodiscard]] bool holds_fresh(time_point now) const noexcept {
    return !empty() && refresh_.at(now) == freshness::fresh;
  }
  [[nodiscard]] bool empty() const noexcept { return members_.members().empty(); }
  /// False until the first question has ended, however it ended.
  [[nodiscard]] bool answered() const noexcept { return answered_; }
  [[nodiscard]] verdict said() const noexcept { return said_; }
  /// The last question's failure; also a negative answer while the old addresses are kept. Clear
  /// when all is well.
  [[nodiscard]] error_code problem() const noexcept { return problem_; }
  /// When something here changes with time alone; `time_point::max()`: nothing does.
  [[nodiscard]] time_point next_time(time_point now) const noexcept;

  [[nodiscard]] record_type type() const noexcept { return type_; }
  [[nodiscard]] refresh_machine& refresh() noexcept { return refresh_; }
  [[nodiscard]] const refresh_machine& refresh() const noexcept { return refresh_; }
  [[nodiscard]] evidence& members() noexcept { return members_; }
  [[nodiscard]] const evidence& members() const noexcept { return members_; }

 private:
  void on_negative(const answer& received, time_point now, member_changes& changes);
  void on_failure(const answer& received, time_point now, member_changes& changes);
  [[nodiscard]] bool is_negative() const noexcept {
    return said_ == verdict::no_data || said_ == verdict::name_missing;
  }
  [[nodiscard]] time_point doubt_at() const noexcept;
  [[nodiscard]] time_point drain_at() const noexcept;
  [[nodiscard]] time_point stale_at() const noexcept;

  const record_type type_;
  const watch_options& options_;
  refresh_machine refresh_;
  evidence members_;
  bool answered_ = false;
  bool last_failed_ = false;  // the last question brought no definite answer
  verdict said_ = verdict::unknown;
  time_point negative_since_{};  // while is_negative()
  time_point last_negative_{};
  std::chrono::seconds negative_ttl_{0};
  error_code problem_;
};

}  // namespace redial::detail
