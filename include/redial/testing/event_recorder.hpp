// SPDX-License-Identifier: Apache-2.0
#pragma once

// Everything that redial told, kept for a test to look at.

#include <redial/core/abi.hpp>
#include <redial/core/events.hpp>
#include <redial/ports/scheduler.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {

/// The members of `event_listener`.
enum class event_kind {
  answer,
  snapshot,
  endpoint,
  connection,
  attempt,
  reset,
  panic,
  checkout,
  call
};

[[nodiscard]] REDIAL_API const char* to_string(event_kind k) noexcept;  ///< The enumerator's name.

/// An event of any kind, as a value of its own.
struct recorded_event {
  recorded_event() = default;

  event_kind kind = event_kind::answer;  ///< Which member of the listener was called.
  std::string name;  ///< The target's text; of an answer the name that was asked for.
  /// The endpoint's text (`10.0.0.1:80`); of an answer its record type (`A`).
  std::string where;
  /// The outcome, state or change in a word: `records`, `fresh`, `departed`, `opened`; of an
  /// attempt `failed`, `retried` or `succeeded`; of a reset `done` or `suppressed`; of a panic
  /// `begun` or `over`; of a checkout `failed`; of a call `failed` or `succeeded`.
  std::string what;
  /// Numbers and reasons in words: `2 endpoints +1 -1`, `idle`, `10.0.0.1 10.0.0.2 ttl 5s changed`.
  std::string detail;
  /// Generation, number of the connection or attempt, a call's attempts; 0 where there is none.
  std::uint64_t number = 0;
  error_code error;  ///< As the event says it; clear where it says none.
  /// As the event says it; zero where it says none.
  duration elapsed{};
  /// Since the recorder began, by its scheduler; zero without one.
  duration at{};

  friend bool operator==(const recorded_event&, const recorded_event&) = default;
};

/// `1.250s connection api.test 10.0.0.1:80 #3 closed idle after 50s`.
[[nodiscard]] REDIAL_API std::string to_string(const recorded_event& e);
/// As `to_string`; for GoogleTest.
REDIAL_API std::ostream& operator<<(std::ostream& out, const recorded_event& e);

/// A listener that keeps all events in the order of arrival.
///
/// \code
///   auto events = std::make_shared<event_recorder>(sim.time());
///   options.listener = events;
///   ...
///   EXPECT_EQ(events->count(event_kind::connection, "closed"), 0U) << events->trace();
/// \endcode
///
/// \par Threads Safe from any thread.
class REDIAL_API event_recorder final : public event_listener {
 public:
  /// True for the events that are wanted.
  using filter = std::function<bool(const recorded_event&)>;

  /// \param time Gives events their instant. Null: they have none.
  explicit event_recorder(std::shared_ptr<scheduler> time = nullptr);
  ~event_recorder() override;
  event_recorder(const event_recorder&) = delete;
  event_recorder& operator=(const event_recorder&) = delete;

  void on_answer(const answer_event& e) override;
  void on_snapshot(const snapshot_event& e) override;
  void on_endpoint(const endpoint_event& e) override;
  void on_connection(const connection_event& e) override;
  void on_attempt(const attempt_event& e) override;
  void on_reset(const reset_event& e) override;
  void on_panic(const panic_event& e) override;
  void on_checkout_failed(const checkout_event& e) override;
  void on_call(const call_event& e) override;

  /// In the order of arrival.
  [[nodiscard]] std::vector<recorded_event> all() const;
  /// Those that are wanted, in the order of arrival.
  [[nodiscard]] std::vector<recorded_event> matching(const filter& wanted) const;
  /// The first one wanted, if there is one.
  [[nodiscard]] std::optional<recorded_event> first(const filter& wanted) const;
  /// The last one wanted, if there is one.
  [[nodiscard]] std::optional<recorded_event> last(const filter& wanted) const;
  /// How many are wanted.
  [[nodiscard]] std::size_t count(const filter& wanted) const;
  /// Empty words mean any.
  [[nodiscard]] std::size_t count(event_kind kind,
                                  std::string_view what = {},
                                  std::string_view where = {}) const;

  /// Waits in real time until at least `times` events match; also those already there. False when
  /// `at_most` has passed first. For tests with threads; with simulated time use `run_until`.
  [[nodiscard]] bool wait_for(const filter& wanted,
                              std::size_t times = 1,
                              std::chrono::milliseconds at_most = std::chrono::seconds{30}) const;

  /// One line per event. Equal for equal runs.
  [[nodiscard]] std::string trace() const;
  /// Forgets all events.
  void clear();

 private:
  void add(recorded_event e);

  struct state;
  std::unique_ptr<state> state_;
};

/// A filter for the usual question; empty words mean any.
[[nodiscard]] REDIAL_API event_recorder::filter event_is(event_kind kind,
                                                         std::string_view what = {},
                                                         std::string_view where = {});

}  // namespace redial::inline REDIAL_ABI::testing
