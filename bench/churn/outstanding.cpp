// SPDX-License-Identifier: Apache-2.0
#include "churn/outstanding.hpp"

#include <boost/asio/post.hpp>
#include <fmt/core.h>

#include <algorithm>

namespace redial::churn {

outstanding::outstanding(const boost::asio::any_io_executor& executor)
    : executor_(executor), timer_(executor) {}

void outstanding::add(std::uint64_t request, time_point deadline, contestant::handler done) {
  deadlines_[request] = deadline;
  waiting_[{deadline, request}] = std::move(done);
  if (waiting_.begin()->first == key{deadline, request}) watch();
}

void outstanding::answer(std::uint64_t request, reply r) {
  const auto found = deadlines_.find(request);
  if (found == deadlines_.end()) return;
  auto node = waiting_.extract({found->second, request});
  deadlines_.erase(found);
  // The timer stays as it is: at worst it finds nothing that is due.
  node.mapped()(std::move(r));
}

void outstanding::answer_from_thread(std::uint64_t request, reply r) {
  boost::asio::post(executor_, [weak = weak_from_this(), request, r = std::move(r)]() mutable {
    if (const auto self = weak.lock()) self->answer(request, std::move(r));
  });
}

void outstanding::fail_all(const std::string& why) {
  // Handlers may ask anew; those requests are not meant.
  deadlines_.clear();
  const auto handlers = std::exchange(waiting_, {});
  for (const auto& [k, done] : handlers) done(failed(why));
}

void outstanding::close() {
  timer_.cancel();
  for (const auto& [request, deadline] : deadlines_) {
    // Owned: the contestant may be gone by then.
    boost::asio::post(executor_, [self = shared_from_this(), id = request] {
      self->answer(id, failed("closed"));
    });
  }
}

void outstanding::watch() {
  if (waiting_.empty()) return;
  timer_.expires_at(waiting_.begin()->first.first + grace);
  timer_.async_wait([weak = weak_from_this()](const auto& ec) {
    const auto self = weak.lock();
    if (!ec && self) self->give_up(clock::now());
  });
}

void outstanding::give_up(time_point now) {
  while (!waiting_.empty() && waiting_.begin()->first.first + grace <= now) {
    answer(waiting_.begin()->first.second, failed("no answer by the deadline"));
  }
  watch();
}

reply failed(std::string why) {
  reply r;
  r.error = std::move(why);
  return r;
}

reply answered(long status, std::string body) {
  reply r;
  r.ok = status == 200;
  if (r.ok) {
    r.backend = std::move(body);
  } else {
    r.error = fmt::format("status {}", status);
  }
  return r;
}

std::chrono::milliseconds time_left(time_point deadline, time_point now) {
  using std::chrono::milliseconds;
  return std::max(milliseconds{1}, std::chrono::ceil<milliseconds>(deadline - now));
}

}  // namespace redial::churn
