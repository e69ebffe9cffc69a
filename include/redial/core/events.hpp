// SPDX-License-Identifier: Apache-2.0
#pragma once

// What happens inside, told as it happens.

#include <redial/core/abi.hpp>
#include <redial/core/answer.hpp>
#include <redial/core/endpoint.hpp>
#include <redial/core/error.hpp>
#include <redial/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace redial::inline REDIAL_ABI {

/// How much the current endpoints of a name are worth.
enum class freshness {
  unresolved,  ///< No answer yet.
  fresh,       ///< Within the effective TTL of a good answer.
  stale,       ///< Past it; the last good endpoints are still served.
  expired,     ///< Past `stale_limit` since the last good answer.
};

/// What became of an endpoint.
enum class endpoint_change {
  added = 0,        ///< New in DNS.
  absent = 1,       ///< Missing from an answer of a rotating name; still leased.
  doubted = 2,      ///< Absent for `absence_window`; no new plaintext connections.
  returned = 3,     ///< Absent, and seen again.
  departed = 4,     ///< Has left DNS.
  warming = 5,      ///< The first connection of its life is being opened.
  active = 6,       ///< Proven: may be leased.
  warm_failed = 7,  ///< A warming attempt failed; tried again later.
  ejected = 8,      ///< Failed too often; out of use for a while, but for a panic.
  quarantined = 9,  ///< Somebody else answered there; out of use until proven.
  retained = 10,    ///< Departed, still leased until a replacement is proven.
  drained = 11,     ///< Takes no more leases; its connections close as they become free.

  recovered = 12,  ///< Was ejected or quarantined, and is proven again: may be leased.
};

/// Why a connection was closed.
enum class close_reason {
  idle = 0,              ///< `idle_timeout`
  lifetime = 1,          ///< `max_lifetime`
  departed = 2,          ///< Its endpoint left DNS.
  drain_deadline = 3,    ///< Still leased at the drain deadline.
  error = 4,             ///< The operation on it failed.
  spent = 5,             ///< Used up as agreed (`Connection: close`).
  poisoned = 6,          ///< The caller said so.
  moved = 7,             ///< The caller said that the peer is no longer responsible.
  peer_closed = 8,       ///< The peer closed it while it was idle.
  unexpected_bytes = 9,  ///< The peer sent something while it was idle.
  endpoint_failed = 10,  ///< Idle when another connection of the same endpoint failed.
  reset = 11,            ///< A whole-pool reset.
  abandoned = 12,        ///< Opened too late, for an endpoint or pool that is gone.
  shutdown = 13,         ///< The pool was closed.

  ejected = 14,      ///< Its endpoint is out of use.
  quarantined = 15,  ///< Somebody else answers at its endpoint.
  probed = 16,       ///< Was opened for a health probe, which is over.
};

/// What became of a connection.
enum class connection_change { opening, opened, failed, closed };

/// What the answer to a question about a name came to.
enum class refresh_result {
  changed,    ///< Endpoints came, left, or are seen differently.
  unchanged,  ///< A good answer that changed nothing.
  stale,      ///< No good answer; the last known endpoints go on serving.
  error,      ///< No good answer, and there are no endpoints.
};

/// How many values there are: for arrays with one entry for each.
inline constexpr std::size_t endpoint_change_count =
    static_cast<std::size_t>(endpoint_change::recovered) + 1;
/// How many values there are.
inline constexpr std::size_t close_reason_count =
    static_cast<std::size_t>(close_reason::probed) + 1;

[[nodiscard]] REDIAL_API const char* to_string(freshness f) noexcept;  ///< The enumerator's name.
/// The enumerator's name.
[[nodiscard]] REDIAL_API const char* to_string(endpoint_change c) noexcept;
/// The enumerator's name.
[[nodiscard]] REDIAL_API const char* to_string(close_reason r) noexcept;
/// The enumerator's name.
[[nodiscard]] REDIAL_API const char* to_string(connection_change c) noexcept;
/// The enumerator's name.
[[nodiscard]] REDIAL_API const char* to_string(refresh_result r) noexcept;

/// A question ended.
struct answer_event {
  const answer& received;                             ///< Whether good or a failure.
  duration elapsed{};                                 ///< Since it was asked.
  refresh_result result = refresh_result::unchanged;  ///< What it did to the endpoints.
};

/// A new belief about a name was published.
struct snapshot_event {
  std::string_view name;                    ///< The target's canonical text.
  std::uint64_t generation = 0;             ///< Grows by one with every publication.
  freshness state = freshness::unresolved;  ///< What it is worth.
  std::uint32_t endpoints = 0;              ///< How many there are now,
  std::uint32_t added = 0;                  ///< how many came,
  std::uint32_t departed = 0;               ///< and how many left.
};

/// Something became of an endpoint.
struct endpoint_event {
  std::string_view name;     ///< The target's canonical text.
  const endpoint& where;     ///< Which one.
  endpoint_change change{};  ///< What became of it.
  error_code error{};        ///< Why, where a failure was the cause; else clear.
};

/// A connection is being opened, was opened, failed to open, or was closed.
struct connection_event {
  std::string_view name;         ///< The target's canonical text.
  const endpoint& where;         ///< Whom it leads to.
  std::uint64_t connection = 0;  ///< Number of the connection within its pool.
  connection_change change{};    ///< Which of these.
  close_reason reason{};         ///< Only for `closed`.
  error_code error{};  ///< Why it failed or was closed, where an error was the cause; else clear.
  duration elapsed{};  ///< `opened`, `failed`: since `opening`. `closed`: its age.
};

/// An attempt of a call ended.
struct attempt_event {
  std::string_view name;     ///< The target's canonical text.
  const endpoint& where;     ///< Port 0 when it got no connection.
  std::uint32_t number = 0;  ///< From 1.
  error_code error{};        ///< Clear: it succeeded.
  bool retried = false;      ///< Another attempt follows.
  duration elapsed{};        ///< From its start to its end.
};

/// All connections of a pool are being replaced, or that was asked for.
struct reset_event {
  std::string_view name;    ///< The target's canonical text.
  bool suppressed = false;  ///< By `min_reset_interval`, or because one was under way.
  error_code cause;         ///< What it was asked for with.
};

/// So few endpoints are healthy that the ejected ones are leased again; or that is over.
struct panic_event {
  std::string_view name;        ///< The target's canonical text.
  bool begun = false;           ///< False: it is over.
  std::uint32_t healthy = 0;    ///< Active endpoints,
  std::uint32_t endpoints = 0;  ///< of so many behind the name.
};

/// A caller left the pool without a connection. (Those that cancelled, and those of a pool that was
/// closed, are not told.)
struct checkout_event {
  std::string_view name;  ///< The target's canonical text.
  error_code error;   ///< `errc::checkout_timeout`, `errc::queue_full`, the last connect error, ...
  duration waited{};  ///< Zero when it never stood in the queue.
};

/// A call is over.
struct call_event {
  std::string_view name;  ///< The target's canonical text.
  error_code error;       ///< Clear: it succeeded.
  /// Begun, those that got no connection included; 0: refused at once (closed, deadline past).
  std::uint32_t attempts = 0;
  duration elapsed{};  ///< From the call to its completion.
};

/// Receives events. Override what is of interest.
///
/// \par Threads Called from the library's executors, possibly several at once, never under a lock
///      of ours. It may call back into redial. It must not block.
/// \par Exceptions It should not throw. What it throws leaves `run()` of the executor of the object
///      that told it, from a handler of its own: nothing of redial is interrupted, and later events
///      are told.
/// \par Lifetime Arguments, also what they refer to, live until the call returns.
class REDIAL_API event_listener {
 public:
  virtual ~event_listener() = default;

  /// A discovery's question ended.
  virtual void on_answer(const answer_event&) {}
  /// A discovery published something new about a name.
  virtual void on_snapshot(const snapshot_event&) {}
  /// A discovery saw an endpoint come or go, or a pool did something about it.
  virtual void on_endpoint(const endpoint_event&) {}
  /// A pool opened or closed a connection.
  virtual void on_connection(const connection_event&) {}
  /// A client's attempt ended.
  virtual void on_attempt(const attempt_event&) {}
  /// A pool replaces its connections, or refused to.
  virtual void on_reset(const reset_event&) {}
  /// A pool leases ejected endpoints, or has stopped doing so.
  virtual void on_panic(const panic_event&) {}

  /// A caller left a pool without a connection.
  virtual void on_checkout_failed(const checkout_event&) {}
  /// A client's call is over.
  virtual void on_call(const call_event&) {}
};

}  // namespace redial::inline REDIAL_ABI
