// SPDX-License-Identifier: Apache-2.0
#pragma once

// What all calls of one client share.

#include <redial/client/client.hpp>
#include <redial/client/options.hpp>
#include <redial/core/counters.hpp>
#include <redial/pool/pool.hpp>
#include <redial/ports/scheduler.hpp>

#include "client/attempt_machine.hpp"
#include "client/hedge_trigger.hpp"
#include "client/retry_budget.hpp"
#include "core/short_mutex.hpp"
#include "dns/context_end.hpp"
#include "watch/random_source.hpp"

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

namespace redial::inline REDIAL_ABI::detail {

class call_state;

/// What a call did, told when it ends.
struct call_tally {
  bool failed = false;
  std::uint32_t attempts = 0;
  std::uint32_t denied = 0;
  std::uint32_t hedges = 0;
  duration latency{};  ///< Of a success.
  duration took{};
};

/// The pool, the budget, the counters, and the list of calls in flight.
///
/// \par Threads  Safe from any thread. Its lock is a leaf: nothing but the scheduler is called
/// under it. \par Lifetime Held by its client and by every call in flight. `close()` ends all
/// calls, so that
///      the last reference goes with the client or with the last operation.
class client_state final : public call_surroundings,
                           public ends_with_context,
                           public std::enable_shared_from_this<client_state> {
 public:
  [[nodiscard]] static std::shared_ptr<client_state> create(boost::asio::any_io_executor executor,
                                                            std::shared_ptr<discovery> names,
                                                            const target& t,
                                                            std::shared_ptr<connector> opener,
                                                            const client_options& options,
                                                            std::shared_ptr<scheduler> time);
  /// Use `create`.
  client_state(boost::asio::any_io_executor executor,
               std::shared_ptr<discovery> names,
               const target& t,
               std::shared_ptr<connector> opener,
               const client_options& options,
               std::shared_ptr<scheduler> time);
  ~client_state();

  void start_call(std::unique_ptr<erased_operation> op,
                  const call_options& options,
                  completion<called> done);
  void close() { end(errc::closed); }
  void start_drain(time_point by, completion<drain_ended> done);
  void start_checkout(const checkout_options& options, completion<checked_out> done);
  /// Ends all calls as `close()` does, but calls nobody.
  void context_gone() noexcept override;
  /// False once the executor is being destroyed.
  [[nodiscard]] bool may_post() const noexcept { return !context_gone_ && !time_->is_stopped(); }
  bool reset(error_code cause);
  [[nodiscard]] client_counters counters() const;
  [[nodiscard]] client_histograms histograms() const;
  [[nodiscard]] measurements measured() const;
  void explain(completion<void(client_explanation)> done);

  void count(const call_tally& tally);
  /// The last word of a call, which must be the list's, once its completion is on its way: a drain
  /// waits for that. True: nothing of a drain is left here, so `calls_over` is due.
  [[nodiscard]] bool call_ended(call_state& call);
  void calls_over();
  [[nodiscard]] bool spend_retry(time_point now) override;
  [[nodiscard]] bool spend_hedge(time_point now) override;
  [[nodiscard]] std::size_t usable_endpoints() override;

  [[nodiscard]] pool_base& pool() noexcept { return pool_; }
  [[nodiscard]] const boost::asio::any_io_executor& executor() const noexcept { return executor_; }
  [[nodiscard]] const std::shared_ptr<scheduler>& time() const noexcept { return time_; }
  [[nodiscard]] const std::string& name() const noexcept { return pool_.name(); }
  [[nodiscard]] const client_options& options() const noexcept { return options_; }

 private:
  void end(error_code ends_drain);
  void drain_due() { end(errc::deadline_exceeded); }
  [[nodiscard]] bool add(const std::shared_ptr<call_state>& call, time_point now);
  [[nodiscard]] call_terms terms_of(const call_options& options, time_point now);

  const client_options options_;
  const boost::asio::any_io_executor executor_;
  const std::shared_ptr<scheduler> time_;
  const time_point started_;
  const std::shared_ptr<discovery> names_;
  const target target_;

  std::atomic<bool> context_gone_{false};
  std::atomic<bool> draining_{false};  // set under the lock
  mutable short_mutex mutex_;
  bool closed_ = false;
  time_point drain_by_ = time_point::max();
  call_state* calls_ = nullptr;  // in flight, linked through themselves; each holds itself
  retry_budget budget_;          // unless there is a shared one
  hedge_trigger hedge_;
  random_source chance_;
  client_counters counters_;
  client_histograms histograms_;

  member_timer<client_state, &client_state::drain_due> drain_timer_{*this};

  pool_base pool_;  // last: its threads of control end before what they use
};

}  // namespace redial::inline REDIAL_ABI::detail
