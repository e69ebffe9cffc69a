// SPDX-License-Identifier: Apache-2.0
#pragma once

// One call in flight: performs what its attempt_machine decides.

#include <redial/client/client.hpp>
#include <redial/ports/scheduler.hpp>

#include "client/attempt_machine.hpp"
#include "client/client_state.hpp"
#include "core/short_mutex.hpp"

#include <boost/asio/cancellation_signal.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// One attempt. It outlives its lease: an operation that was given up goes on referring to it, and
/// to the connection taken from the pool, until its handler is called or destroyed.
struct call_attempt final : lease_observer {
  call_attempt(call_state& c, std::uint32_t n) noexcept : call(c), number(n) {}
  void lease_cancelled(error_code why) override;

  call_state& call;
  const std::uint32_t number;
  endpoint where;
  attempt view;
  bool started = false;  // the operation was called
  lease_base lease;
  pooled_connection* connection = nullptr;  // the lease's, then `taken`
  boost::asio::any_io_executor executor;    // the connection's
  boost::asio::cancellation_signal signal;
  std::shared_ptr<pooled_connection> taken;
};

/// \par Threads  Safe from any thread: one lock guards the machine and what belongs to it, and is
///      never held while the user's code, the pool's or a handler's may run. What an operation
///      touches (its attempt, its connection's counts) is only read on the connection's executor.
/// \par Lifetime Holds itself until the call completes; then operation handlers hold it.
class call_state final : public std::enable_shared_from_this<call_state> {
 public:
  call_state(std::shared_ptr<client_state> client,
             std::unique_ptr<erased_operation> op,
             const call_terms& terms,
             completion<called> done);
  ~call_state();
  call_state(const call_state&) = delete;
  call_state& operator=(const call_state&) = delete;

  void start(time_point now);
  /// The caller cancelled (`operation_aborted`), or the client closes.
  void stop(error_code why);
  /// `start` or `stop` has thrown: the handler is destroyed uncalled, unless it is over already.
  void abandon();

  void checkout_done(error_code ec, lease_base lease);
  /// On the connection's executor, like the operation's own handlers.
  void operation_done(std::uint32_t number, error_code ec);
  void lease_cancelled(call_attempt& a, error_code why);

 private:
  friend class client_state;  // the list of calls in flight

  using locked = std::unique_lock<short_mutex>;
  enum class place { anywhere, on_connection };
  struct held_lease {
    call_attempt* attempt = nullptr;
    lease_base lease;
  };

  void timer_fired();
  void give_up(std::uint32_t number);
  void run(std::uint32_t number);

  /// Asks the user whether a failed attempt is worth another one, without the lock. False: the call
  /// has ended meanwhile.
  [[nodiscard]] bool judge(locked& lock,
                           std::uint32_t number,
                           attempt_facts& facts,
                           time_point now);

  /// Whoever calls it holds the call.
  void perform(locked lock, const call_step& step, place where, time_point now);
  void end(locked lock, const call_step& step, place where);
  [[nodiscard]] held_lease take_lease(const ended_attempt& end) noexcept;
  void finish(client_state& client,
              const call_tally& tally,
              error_code ec,
              call_history history,
              completion<called> done);
  void end_attempt(const client_state& client,
                   held_lease held,
                   const ended_attempt& end,
                   place where,
                   bool goes_on);
  void end_lease(const client_state& client,
                 call_attempt& a,
                 lease_base lease,
                 const ended_attempt& end,
                 place where);
  void cancel_operation(call_attempt& a);
  static void tell_attempt(const client_state& client, const ended_attempt& end, bool retried);
  static void tell_call(const client_state& client, error_code ec, const call_tally& tally);
  void check_out(client_state& client,
                 std::vector<tried_endpoint> tried,
                 std::uint32_t number,
                 time_point now);
  void run_on(lease_base lease, time_point now);
  void wait_in_queue(client_state& client, const checkout_options& options, std::uint32_t number);
  void leave_queue(const client_state& client, const boost::asio::any_io_executor& strand) noexcept;
  call_attempt& begin_attempt(lease_base lease);

  void follow_clock();
  [[nodiscard]] attempt_facts facts_of(const call_attempt& a, error_code ec);
  [[nodiscard]] call_attempt* find(std::uint32_t number) const noexcept;

  const std::shared_ptr<scheduler> time_;
  const std::unique_ptr<erased_operation> op_;
  const time_point deadline_;
  const endpoint_key key_;

  short_mutex mutex_;
  std::shared_ptr<client_state> client_;  // null when the call has completed
  attempt_machine machine_;
  completion<called> done_;
  time_point armed_ = time_point::max();
  call_attempt first_{*this, 1};  // most calls need no other
  std::vector<std::unique_ptr<call_attempt>> others_;
  std::array<call_attempt*, 2> running_{};  // those that hold a lease
  boost::asio::cancellation_signal queue_signal_;
  boost::asio::any_io_executor queue_;  // set while waiting in the pool's queue: its strand

  // The client's, under its lock.
  std::shared_ptr<call_state> self_;
  call_state* next_ = nullptr;
  call_state* previous_ = nullptr;

  member_timer<call_state, &call_state::timer_fired> timer_{*this};
};

}  // namespace redial::inline REDIAL_ABI::detail
