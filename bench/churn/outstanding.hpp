// SPDX-License-Identifier: Apache-2.0
#pragma once

// Requests whose answers come from elsewhere: another thread, another process, a library with a
// loop of its own.

#include "churn/contestant.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace redial::churn {

/// Sees to it that each request is answered once: by what the client under test says or, when it
/// says nothing, shortly after the deadline.
///
/// \par Threads Used on the thread of its executor only; `answer_from_thread` from any.
/// \par Lifetime Owned by a shared pointer.
class outstanding : public std::enable_shared_from_this<outstanding> {
 public:
  /// How long after its deadline a request is given up. The client's own idea of it comes first.
  static constexpr duration grace = std::chrono::milliseconds{50};

  explicit outstanding(const boost::asio::any_io_executor& executor);

  void add(std::uint64_t request, time_point deadline, contestant::handler done);
  /// Calls the handler of `request` now. Without effect when it has been answered, or never was
  /// asked: a late answer, or a repeated one.
  void answer(std::uint64_t request, reply r);
  /// The same a little later, on the executor.
  void answer_from_thread(std::uint64_t request, reply r);
  /// Answers all, now, with the failure `why`.
  void fail_all(const std::string& why);
  /// Fails what is left, a little later, and ends.
  void close();

 private:
  using key = std::pair<time_point, std::uint64_t>;

  void watch();
  void give_up(time_point now);

  boost::asio::any_io_executor executor_;
  boost::asio::steady_timer timer_;
  std::map<std::uint64_t, time_point> deadlines_;
  std::map<key, contestant::handler> waiting_;
};

/// A reply that says why there is none.
[[nodiscard]] reply failed(std::string why);
/// The answer to a 200 with this body, or the failure for another status.
[[nodiscard]] reply answered(long status, std::string body);
/// What is left until `deadline`, rounded up to whole milliseconds; at least one.
[[nodiscard]] std::chrono::milliseconds time_left(time_point deadline, time_point now);

}  // namespace redial::churn
