// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a cares_source is made of. Kept alive by the source and by posted handlers.

#include <redial/core/abi.hpp>

#include "dns/answer_batch.hpp"
#include "dns/cares_source.hpp"
#include "dns/context_end.hpp"
#include "dns/live_channel.hpp"
#include "dns/query_rate.hpp"
#include "dns/server_set.hpp"

#include <atomic>
#include <deque>
#include <map>
#include <optional>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// \par Threads The strand.
class cares_source_state final : public ends_with_context,
                                 public std::enable_shared_from_this<cares_source_state> {
 public:
  cares_source_state(boost::asio::any_io_executor strand,
                     const cares_options& options,
                     std::shared_ptr<scheduler> time);
  ~cares_source_state();

  /// \throws std::invalid_argument
  void start();
  void ask(const question& q, dns_source::handler done);
  void close() noexcept;
  /// `close` on the strand, from any thread.
  void close_later();
  [[nodiscard]] std::uint64_t rebuilds() const noexcept { return rebuilds_.load(); }

 private:
  using channel_ptr = std::shared_ptr<live_channel>;

  struct op {
    question asked;
    dns_source::handler done;
    time_point deadline{};     // from its first turn on
    channel_ptr channel;       // null while it waits for its turn
    bool asked_again = false;  // after a channel broke under it, or found a port closed
  };
  using ops = std::map<std::uint64_t, op>;

  void context_gone() noexcept override;

  void stir();
  void on_timer();
  void on_stirred();
  void drive_channels(time_point now);
  void take_results(const channel_ptr& c, time_point now);
  void ask_again(const channel_ptr& c);
  void time_out(time_point now);
  void abandon(const channel_ptr& c, time_point now);
  void pump(time_point now);
  [[nodiscard]] bool somebody_waits() const noexcept {
    return !again_.empty() || !waiting_.empty();
  }
  [[nodiscard]] bool is_full() const noexcept;
  [[nodiscard]] bool is_stuck() const noexcept;
  [[nodiscard]] bool have_channel(time_point now);
  [[nodiscard]] bool build(error_code& why);
  void give_turn(time_point now);
  void start(op&& o, time_point now);
  void start(ops::iterator at, time_point now);
  [[nodiscard]] bool may_start(time_point now);
  void consider_rebuild(time_point now);
  void follow_servers(time_point now);
  void retire_current();
  void finish(ops::iterator at, answer&& a);
  void fail_waiting(const error_code& ec);
  void deliver(dns_source::handler&& done, answer&& a);
  void arm_timer(time_point now);
  [[nodiscard]] time_point next_wish(time_point now) const;

  std::optional<boost::asio::any_io_executor> strand_;  // empty once its context is gone
  const cares_options options_;
  const std::shared_ptr<scheduler> time_;
  server_set servers_;
  query_rate rate_;

  std::deque<op> waiting_;  // for their first turn
  // Those that had a turn, numbered in its order; so their deadlines grow.
  ops ops_;
  std::vector<ops::node_type> spare_ops_;  // their memory: one a question, with many it shows
  std::deque<std::uint64_t> again_;        // of `ops_`, those whose channel broke: first in line
  std::size_t in_flight_ = 0;
  std::uint64_t last_turn_ = 0;
  std::shared_ptr<answer_batch> finished_;  // may be null, or posted already
  std::shared_ptr<answer_batch> spare_;     // may be null
  std::vector<std::string> spare_names_;    // with memory for the next questions
  channel_results results_;                 // empty between turns

  channel_ptr current_;
  std::vector<channel_ptr> retired_;  // with questions still in flight
  time_point build_not_before_{};
  std::optional<time_point> last_rebuild_;
  bool failed_over_ = false;  // since `consider_rebuild`, another server became the first
  bool refused_ = false;      // since `consider_rebuild`
  int unanswered_ = 0;        // questions in a row that ended while nobody answered anything
  bool stirred_ = false;      // `on_stirred` is posted
  bool in_turn_ = false;      // inside `on_stirred`, which delivers at its end
  bool closed_ = false;
  std::atomic<std::uint64_t> rebuilds_{0};
  std::optional<time_point> armed_for_;
  member_timer<cares_source_state, &cares_source_state::on_timer> timer_{*this};
};

}  // namespace redial::inline REDIAL_ABI::detail
