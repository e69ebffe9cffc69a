// SPDX-License-Identifier: Apache-2.0
#pragma once

// Drives a pool: one lock around its machine, and outside the lock whatever the machine asks for.

#include <redial/core/measurements.hpp>
#include <redial/pool/explanation.hpp>
#include <redial/pool/pool.hpp>

#include "core/fork_check.hpp"
#include "core/short_mutex.hpp"
#include "pool/news_desk.hpp"
#include "pool/pool_core.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <atomic>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// \par Threads Safe from any thread. Connectors, connections, handlers, listeners and the feed are
///      called without the lock; the scheduler with it (it calls back without locks of its own).
/// \par Lifetime Lives as long as its `pool_base` or one of its leases: a pool that is closed while
///      leases are out holds itself until the last one is over. Callbacks hold it weakly.
class pool_state final : public std::enable_shared_from_this<pool_state> {
 public:
  [[nodiscard]] static std::shared_ptr<pool_state> create(boost::asio::any_io_executor executor,
                                                          std::unique_ptr<endpoint_feed> feed,
                                                          std::shared_ptr<connector> opener,
                                                          const pool_options& options,
                                                          std::shared_ptr<scheduler> time);
  /// Use `create`.
  pool_state(boost::asio::any_io_executor executor,
             std::unique_ptr<endpoint_feed> feed,
             std::shared_ptr<connector> opener,
             const pool_options& options,
             std::shared_ptr<scheduler> time);
  ~pool_state();
  pool_state(const pool_state&) = delete;
  pool_state& operator=(const pool_state&) = delete;

  /// Asserts, in debug builds, that this is the process that made it.
  void verify_process() const noexcept { process_.verify(); }

  // The hot path, in pool_hot.cpp.
  [[nodiscard]] pool_slot* quick_checkout() noexcept;
  void give_back(pool_slot& s) noexcept;
  void give_back_with_care(pool_slot& s) noexcept;

  [[nodiscard]] boost::system::result<lease_base> try_checkout(
      const checkout_options& options) noexcept;
  [[nodiscard]] error_code why_nothing() const noexcept;
  void start_checkout(const checkout_options& options, completion<checked_out> done);
  /// `taken`: gets the connection, which is then not closed here.
  void end_lease(pool_slot& s,
                 lease_end how,
                 const error_code& why,
                 std::shared_ptr<pooled_connection>* taken = nullptr);
  void observe(pool_slot& s, std::weak_ptr<lease_observer> observer);

  bool reset(const error_code& cause);
  /// `ends_drain`: what who waits for the end of a drain is told.
  void close(error_code ends_drain = errc::closed);
  /// `done` may be empty.
  void start_drain(const drain_plan& plan, completion<drain_ended> done);
  /// The context of the executor is being destroyed: everything of its goes now, in place.
  void context_gone() noexcept;

  [[nodiscard]] pool_counters counters() const;
  [[nodiscard]] pool_gauges gauges() const;
  [[nodiscard]] pool_histograms histograms() const;
  [[nodiscard]] pool_measurements measured() const;
  [[nodiscard]] pool_explanation explain();
  [[nodiscard]] error_code last_connect_error() const;
  [[nodiscard]] const std::string& name() const noexcept { return feed_->name(); }
  [[nodiscard]] const boost::asio::any_io_executor& executor() const noexcept { return executor_; }
  [[nodiscard]] const std::shared_ptr<scheduler>& time() const noexcept { return time_; }

  // Called back.
  void on_snapshot(const snapshot_ptr& s);
  void on_opened(const pool_actions::opening& o,
                 error_code ec,
                 std::unique_ptr<pooled_connection> connection);
  /// The end of an opening, its check by the health probe included.
  void conclude(const pool_actions::opening& o,
                error_code ec,
                std::shared_ptr<pooled_connection> connection);
  void on_watched(pool_slot& s, std::uint64_t number, pooled_connection& c, bool can_watch);
  void on_stirred(pool_slot& s, std::uint64_t number);
  void on_cancelled(ticket t);
  void on_drain_cancelled(ticket t);
  void on_time();

 private:
  /// A caller in the queue, and how its wait ends.
  struct caller {
    completion<checked_out> done;
    pool_actions::served end;
  };
  /// Nodes move from one map to another without memory.
  using callers = std::map<ticket, caller>;
  using drain_waits = std::map<ticket, completion<drain_ended>>;
  /// No memory to post the handler of `who`, which is destroyed.
  struct handler_lost final : std::bad_alloc {
    explicit handler_lost(ticket t) noexcept : who(t) {}
    ticket who;
  };
  /// What is left to do once the lock is released.
  struct errands {
    pool_actions actions;
    callers waits_over;
    drain_waits drains_over;
    error_code drain_result;
    bool stop_feed = false;
    ticket lost = 0;                   ///< Set while they are done: see `handler_lost`.
    std::shared_ptr<pool_state> self;  ///< The last lease of a closed pool is over.
  };

  template <class Step>
  void step(const Step& what);
  void settle(errands& e) noexcept;
  void settle_end(errands& e) noexcept;
  void follow_clock();
  void run(errands& e);
  template <class Completion, class... Args>
  void complete(errands& e, ticket who, Completion done, Args... args);
  [[nodiscard]] static bool is_lost(const std::bad_alloc& e, ticket t) noexcept;

  void open(const pool_actions::opening& o);
  void opening_started(const pool_actions::opening& o,
                       std::shared_ptr<connect_operation> operation);
  void check(const pool_actions::opening& o, std::shared_ptr<pooled_connection> connection);
  void watch(const pool_actions::watch& w);
  void close_connection(std::shared_ptr<pooled_connection> c);
  void cancel_lease(const pool_actions::cancelled_lease& c);
  [[nodiscard]] bool is_dead(pool_slot& s) noexcept;
  void look_after(pool_slot& s) noexcept;
  [[nodiscard]] pool_slot* checked(pool_slot& s, const checkout_options* options) noexcept;
  [[nodiscard]] bool may_post() const noexcept;
  /// Out of the queue, without a word. False: it was not there (any more).
  bool retract(ticket t) noexcept;
  bool retract_drain(ticket t) noexcept;

  const boost::asio::any_io_executor executor_;
  const std::shared_ptr<scheduler> time_;
  const std::unique_ptr<endpoint_feed> feed_;
  const std::shared_ptr<connector> opener_;
  const pool_options options_;
  std::atomic<std::uint64_t> tickets_{0};
  std::atomic<bool> context_gone_{false};

  alignas(64) mutable short_mutex mutex_;
  pool_core core_;
  callers waiting_;
  drain_waits drains_;
  bool feed_stopped_ = false;
  time_point armed_for_ = pool_core::never;
  std::shared_ptr<pool_state> self_;  // once closed, while leases are out

  news_desk news_;
  [[no_unique_address]] fork_check process_;
  member_timer<pool_state, &pool_state::on_time> timer_{*this};
};

// Every event that is not on the hot path: the machine's step under the lock, the rest without it.
// Of a step that runs out of memory, what it had decided until then is done before that is thrown.
template <class Step>
void pool_state::step(const Step& what) {
  errands e;
  std::exception_ptr failed;
  {
    const std::lock_guard lock(mutex_);
    const time_point now = time_->now();
    try {
      what(now, e.actions);
      core_.follow_drain(now, e.actions);
    } catch (const std::bad_alloc&) {
      failed = std::current_exception();
      core_.stopped_short(now);
    }
    settle(e);
    try {
      follow_clock();
    } catch (const std::bad_alloc&) {
      failed = std::current_exception();
    }
  }
  run(e);
  if (failed) std::rethrow_exception(failed);
}

}  // namespace redial::inline REDIAL_ABI::detail
