// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who answers DNS questions.

#include <redial/core/abi.hpp>
#include <redial/core/answer.hpp>

#include <cstdint>
#include <functional>

namespace redial::inline REDIAL_ABI {

/// Asks one question and delivers one checked answer. No cache, no retry policy, no membership:
/// those are decided above.
///
/// \par Threads Used from one strand (its discovery's). Handlers run there too.
class REDIAL_API dns_source {
 public:
  /// Takes the answer to one question.
  using handler = std::function<void(const answer&)>;

  virtual ~dns_source() = default;

  /// Starts one query. `done` is called exactly once, never from inside `ask`: with an answer, a
  /// failure at the source's own deadline at the latest, or `answer_outcome::closed`.
  virtual void ask(const question& q, handler done) = 0;
  /// Completes everything in flight with `answer_outcome::closed` (posted; what cannot be for want
  /// of memory is dropped). Idempotent; `ask` afterwards completes with `closed`.
  virtual void close() noexcept = 0;
  /// Times the resolver machinery was torn down and built anew.
  [[nodiscard]] virtual std::uint64_t rebuilds() const noexcept { return 0; }
};

}  // namespace redial::inline REDIAL_ABI
