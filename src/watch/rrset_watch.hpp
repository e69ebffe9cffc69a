// SPDX-License-Identifier: Apache-2.0
#pragma once

// One question that is asked again and again: its refreshes, its members, and what failures mean.

#include <redial/core/answer.hpp>
#include <redial/core/error.hpp>
#include <redial/core/time.hpp>
#include <redial/watch/explanation.hpp>
#include <redial/watch/options.hpp>

#include "watch/evidence.hpp"
#include "watch/random_source.hpp"
#include "watch/refresh_machine.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// What one answer said, apart from its records.
struct reply {
  answer_outcome outcome = answer_outcome::timeout;
  std::chrono::seconds ttl{0};
  error_code error;
};

/// The last four answers.
class answer_log {
 public:
  void add(const answer_note& note) noexcept;
  [[nodiscard]] std::vector<answer_note> notes() const;

 private:
  std::array<answer_note, 4> ring_;
  std::size_t count_ = 0;
};

template <class Key>
class basic_rrset_watch {
 public:
  /// What is known about the set as a whole.
  enum class verdict {
    unknown,       ///< No definite answer yet.
    has_records,   ///< The last definite answer had some.
    no_data,       ///< The last definite answer was NODATA.
    name_missing,  ///< The last definite answer was NXDOMAIN.
  };

  /// `options` and `random` must outlive the object. `on_empty` governs `no_data`.
  basic_rrset_watch(const watch_options& options,
                    random_source& random,
                    on_failure on_empty) noexcept
      : options_(options), on_empty_(on_empty), refresh_(options, random), members_(options) {}

  /// `records` are empty unless the outcome is `records`. Returns how many were left out because of
  /// `room`.
  std::uint32_t on_answer(const reply& received,
                          const std::vector<Key>& records,
                          time_point now,
                          std::size_t room);
  void on_time(time_point now);
  /// The other family's question was answered with records. After a NODATA here that speaks for it:
  /// the server that gave it knows the name. True when another NODATA would now be believed, and
  /// the one before was not.
  [[nodiscard]] bool other_family_answered() noexcept {
    const bool was = std::exchange(vouched_, said_ == verdict::no_data);
    return vouched_ && !was && !empty();
  }
  /// The other family holds fresh addresses: a NODATA here says what it seems to say, if it was
  /// said before and after an answer for that family.
  void believe_no_data(time_point now);
  /// What was said so far is too old to mean anything. Refreshes go on as they were.
  void forget() noexcept;

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
  [[nodiscard]] bool is_negative() const noexcept {
    return said_ == verdict::no_data || said_ == verdict::name_missing;
  }
  /// Since when all definite answers, up to the last question, have said that there is nothing;
  /// `time_point::max()`: they do not.
  [[nodiscard]] time_point nothing_since() const noexcept {
    return is_negative() && !last_failed_ ? negative_since_ : time_point::max();
  }
  /// The last question's failure; also a negative answer while the old addresses are kept. Clear
  /// when all is well.
  [[nodiscard]] const error_code& problem() const noexcept { return problem_; }
  /// What the last negative answer said.
  [[nodiscard]] const error_code& negative_error() const noexcept { return negative_error_; }
  /// When something here changes with time alone; `time_point::max()`: nothing does.
  [[nodiscard]] time_point next_time(time_point now) const noexcept;

  [[nodiscard]] refresh_machine& refresh() noexcept { return refresh_; }
  [[nodiscard]] const refresh_machine& refresh() const noexcept { return refresh_; }
  [[nodiscard]] basic_evidence<Key>& members() noexcept { return members_; }
  [[nodiscard]] const basic_evidence<Key>& members() const noexcept { return members_; }

  /// Why the set is as it is; `what` and `origin` are the caller's.
  [[nodiscard]] set_explanation explain(time_point now) const;
  /// The same of one member; its endpoint and origin are the caller's.
  [[nodiscard]] endpoint_explanation explain(const basic_member<Key>& m, time_point now) const;

 private:
  [[nodiscard]] on_failure policy_for(answer_outcome outcome) const noexcept;
  void on_negative(const reply& received, time_point now);
  void on_failed(const reply& received, time_point now);
  void explain_doubt(endpoint_explanation& e, time_point now) const;
  [[nodiscard]] time_point doubt_at() const noexcept;
  [[nodiscard]] time_point drain_at() const noexcept;
  [[nodiscard]] time_point stale_at() const noexcept;

  const watch_options& options_;
  const on_failure on_empty_;
  refresh_machine refresh_;
  basic_evidence<Key> members_;
  bool answered_ = false;
  bool last_failed_ = false;  // the last question brought no definite answer
  verdict said_ = verdict::unknown;
  bool vouched_ = false;         // since the first NODATA, the other family had records
  bool confirmed_ = false;       // and then came another NODATA
  time_point negative_since_{};  // while is_negative()
  time_point last_negative_{};
  std::chrono::seconds negative_ttl_{0};
  error_code negative_error_;
  error_code problem_;
  std::uint64_t answers_ = 0;
  answer_log log_;
};

using rrset_watch = basic_rrset_watch<address>;

extern template class basic_rrset_watch<address>;
extern template class basic_rrset_watch<service>;
extern template class basic_rrset_watch<endpoint>;

}  // namespace redial::inline REDIAL_ABI::detail
