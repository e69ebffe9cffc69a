// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a cares_source is made of. Kept alive by the source and by posted handlers.

#include "dns/cares_source.hpp"
#include "dns/context_end.hpp"
#include "dns/live_channel.hpp"

#include <atomic>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace redial::detail {

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
  void close();
  /// `close` on the strand, from any thread.
  void close_later();
  void reload();
  [[nodiscard]] std::uint64_t rebuilds() const noexcept { return rebuilds_.load(); }

 private:
  using channel_ptr = std::shared_ptr<live_channel>;

  // A question from `ask` until its handler is posted. Numbers grow, and so do deadlines.
  struct op {
    question asked;
    dns_source::handler done;
    time_point deadline;
    channel_ptr channel;       // null while it waits for its turn
    bool asked_again = false;  // after a channel broke under it
  };
  using ops = std::map<std::uint64_t, op>;

  void context_gone() noexcept override;

  void stir();
  void on_timer();
  void on_stirred();
  void take_results(live_channel& c);
  void time_out(time_point now);
  void abandon(const channel_ptr& c);
  void pump();
  [[nodiscard]] bool is_full() const noexcept;
  [[nodiscard]] bool have_channel();
  [[nodiscard]] bool build(error_code& why);
  void consider_rebuild(time_point now);
  void retire_current();
  void finish(ops::iterator at, answer a);
  void fail_waiting(const error_code& ec);
  void arm_timer();

  std::optional<boost::asio::any_io_executor> strand_;  // empty once its context is gone
  const cares_options options_;
  const duration try_timeout_;
  const std::shared_ptr<scheduler> time_;
  std::vector<nameserver> servers_;

  ops ops_;
  std::deque<std::uint64_t> waiting_;
  std::size_t in_flight_ = 0;
  std::uint64_t last_id_ = 0;

  channel_ptr current_;
  std::vector<channel_ptr> retired_;  // with questions still in flight
  time_point build_not_before_{};
  std::optional<time_point> last_rebuild_;
  bool refused_ = false;  // since `consider_rebuild`
  int unanswered_ = 0;    // questions in a row that ended while nobody answered anything
  bool stirred_ = false;  // `on_stirred` is posted
  bool closed_ = false;
  std::atomic<std::uint64_t> rebuilds_{0};
  member_timer<cares_source_state, &cares_source_state::on_timer> timer_{*this};
};

}  // namespace redial::detail
