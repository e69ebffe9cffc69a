// SPDX-License-Identifier: Apache-2.0
#pragma once

// What an error of an attempt says about the attempt, its connection and its endpoint.

#include <redial/client/call.hpp>
#include <redial/core/error.hpp>
#include <redial/pool/lease.hpp>

#include <optional>

namespace redial::inline REDIAL_ABI::detail {

/// What was seen of an attempt when it ended.
struct attempt_facts {
  error_code error;
  attempt_verdict verdict = attempt_verdict::none;
  bool sent = false;      ///< Bytes of it may have reached the peer.
  bool received = false;  ///< A byte of the response arrived.
  bool reused = false;    ///< The connection had served before.
  bool counted = false;   ///< The connection counts its bytes, so `sent` is no guess.
  /// The user's word on whether it is retryable; unset: none.
  std::optional<bool> ruling;
};

/// The peer ended the connection, by FIN or RST, also when our own write found out.
[[nodiscard]] REDIAL_API bool is_closed_by_peer(const error_code& e);

/// The connection had died before the attempt began, as an idle connection may.
[[nodiscard]] bool is_stale(const attempt_facts& f);

/// Did the attempt fail? Without an error, only when the peer is not responsible.
[[nodiscard]] bool is_failure(const attempt_facts& f);

/// Could another attempt end better, whether it is safe or not? By our rules alone.
[[nodiscard]] bool suggests_retry(const attempt_facts& f);
/// The same, where the user's word counts.
[[nodiscard]] bool is_retryable(const attempt_facts& f);

/// Has the operation itself said that nothing was sent? Where bytes are counted only
/// `errc::not_sent` says so: any other code of that condition may come from something the operation
/// used besides, such as another client, after it had sent.
[[nodiscard]] bool says_not_sent(const attempt_facts& f);

/// May the request run again although it may have run: did the peer see nothing of it, or refuse
/// it?
[[nodiscard]] bool is_without_effect(const attempt_facts& f);

/// What the pool is told about the connection.
[[nodiscard]] lease_end end_of(const attempt_facts& f);

}  // namespace redial::inline REDIAL_ABI::detail
