// SPDX-License-Identifier: Apache-2.0
#pragma once

// Events as log records, for any logging library.

#include <redial/core/abi.hpp>
#include <redial/core/events.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace redial::inline REDIAL_ABI {

/// How much a record matters; later ones more.
enum class log_level {
  debug,    ///< Happens all the time in a healthy system: a refresh, a connection, a good call.
  info,     ///< Something changed, as it should: endpoints come and go, pools reset.
  warning,  ///< Something failed and redial deals with it: a retry, an ejection, stale endpoints.
  error,    ///< Somebody is affected, or may be: a failed call, expired endpoints, a stranger.
};

[[nodiscard]] REDIAL_API const char* to_string(log_level l) noexcept;  ///< The enumerator's name.

/// One fact of a record.
struct log_field {
  std::string_view key;  ///< A literal: lower case letters and `_`.
  std::string value;     ///< Printable ASCII; seconds have three decimals or more.
};

/// One event. Texts that come from outside (names, SRV targets) are escaped and cut to 255 bytes,
/// so that nobody writes lines of their own into a log by way of DNS.
struct log_record {
  log_level level = log_level::debug;  ///< How much it matters: see `log_listener`.
  std::string_view component;          ///< `dns`, `endpoint`, `connection`, `pool`, `call`.
  std::string message;                 ///< One line for people; says all that the fields say.
  std::vector<log_field> fields;       ///< In the order of the message.
};

/// A listener that writes every event as one record.
///
/// \code
///   options.listener = std::make_shared<redial::log_listener>([](const redial::log_record& r) {
///     spdlog::log(static_cast<spdlog::level::level_enum>(int(r.level) + 1), "{}", r.message);
///   });
/// \endcode
///
/// | event | level |
/// |---|---|
/// | answer | debug; warning when it did not say what the name has |
/// | snapshot | info when endpoints came or left, else debug; warning: stale; error: expired |
/// | endpoint | info: added, departed, active, recovered, drained, returned; warning: a warming
/// attempt failed,
///              ejected, or a departed one serves because nothing else does; error: quarantined;
///              else debug |
/// | connection | debug; warning when one failed, or was closed for an error or at a drain's end |
/// | attempt | debug; warning when it failed |
/// | reset | info; debug when suppressed |
/// | panic | error when it begins, info when it is over |
/// | checkout | warning |
/// | call | debug; error when it failed, info when its caller cancelled it or closed the client |
///
/// \par Threads Calls the function from the library's executors, possibly several at once.
/// \par Exceptions See `event_listener`.
class REDIAL_API log_listener final : public event_listener {
 public:
  /// Writes one record; called from several threads at once.
  using sink = std::function<void(const log_record&)>;

  /// Records below `least` are not even put together. \throws std::invalid_argument for no `write`.
  explicit log_listener(sink write, log_level least = log_level::info);

  void on_answer(const answer_event& e) override;
  void on_snapshot(const snapshot_event& e) override;
  void on_endpoint(const endpoint_event& e) override;
  void on_connection(const connection_event& e) override;
  void on_attempt(const attempt_event& e) override;
  void on_reset(const reset_event& e) override;
  void on_panic(const panic_event& e) override;
  void on_checkout_failed(const checkout_event& e) override;
  void on_call(const call_event& e) override;

 private:
  [[nodiscard]] bool wants(log_level l) const noexcept { return l >= least_; }

  const sink write_;
  const log_level least_;
};

}  // namespace redial::inline REDIAL_ABI
