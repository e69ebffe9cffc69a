// SPDX-License-Identifier: Apache-2.0
#include <redial/testing/scripted_connector.hpp>
#include <redial/testing/simulation.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <ostream>
#include <utility>

namespace redial::inline REDIAL_ABI::testing {

std::string to_string(const connect_counts& c) {
  return "asked " + std::to_string(c.asked) + ", opening " + std::to_string(c.opening) +
         ", opened " + std::to_string(c.opened) + ", open " + std::to_string(c.open) + ", failed " +
         std::to_string(c.failed) + ", cancelled " + std::to_string(c.cancelled);
}

std::ostream& operator<<(std::ostream& out, const connect_counts& c) { return out << to_string(c); }

// Behaviours, counts and open connections. Outlives the connector as long as a connection does.
struct scripted_connector::state {
  state(boost::asio::any_io_executor e, std::shared_ptr<scheduler> t)
      : executor(std::move(e)), time(std::move(t)) {}

  // Under the lock, like all that change something.
  connect_behaviour take(const endpoint& where) {
    auto& ahead = once[where];
    if (!ahead.empty()) {
      const connect_behaviour first = ahead.front();
      ahead.pop_front();
      return first;
    }
    const auto own = always.find(where);
    return own == always.end() ? usual : own->second;
  }

  std::shared_ptr<scripted_peer> add_peer(const endpoint& where, bool can_watch) {
    auto peer = std::make_shared<scripted_peer>(where, ++last_number, can_watch);
    open_peers.push_back(peer);
    ++counted[where].opened;
    ++counted[where].open;
    return peer;
  }

  void remove_peer(const endpoint& where, std::uint64_t number) {
    const std::lock_guard lock(mutex);
    if (std::erase_if(open_peers, [&](const auto& p) { return p->number() == number; }) != 0) {
      --counted[where].open;
    }
  }

  const boost::asio::any_io_executor executor;
  const std::shared_ptr<scheduler> time;
  mutable std::mutex mutex;
  connect_behaviour usual;
  std::map<endpoint, connect_behaviour> always;
  std::map<endpoint, std::deque<connect_behaviour>> once;
  std::map<endpoint, connect_counts> counted;
  std::vector<endpoint> asked;
  std::vector<std::shared_ptr<scripted_peer>> open_peers;  // in the order of opening
  std::uint64_t last_number = 0;
  std::map<const attempt*, std::shared_ptr<attempt>> pending;  // not ended yet
};

// One connection being opened. Goes on when nobody holds it, as a system call would.
class scripted_connector::attempt final : public connect_operation,
                                          public std::enable_shared_from_this<attempt> {
 public:
  attempt(std::shared_ptr<state> s,
          const connect_request& request,
          const connect_behaviour& how,
          handler done)
      : state_(std::move(s)), request_(request), how_(how), done_(std::move(done)) {
    if (!request_.executor) request_.executor = state_->executor;
  }
  ~attempt() override { state_->time->disarm(timer_); }
  attempt(const attempt&) = delete;
  attempt& operator=(const attempt&) = delete;

  /// What throws leaves nothing behind.
  void start() {
    {
      const std::lock_guard lock(state_->mutex);
      state_->asked.push_back(request_.where);
      connect_counts& counts = state_->counted[request_.where];
      state_->pending.emplace(this, shared_from_this());
      ++counts.asked;
      ++counts.opening;
    }
    try {
      begin();
    } catch (...) {
      const std::lock_guard lock(state_->mutex);
      if (state_->pending.erase(this) != 0) --state_->counted[request_.where].opening;
      throw;
    }
  }

  void begin() {
    if (how_.never) return;
    if (how_.latency <= duration::zero()) return finish();
    timer_.owned_by(weak_from_this());
    state_->time->arm(timer_, after(state_->time->now(), how_.latency));
  }

  void cancel() noexcept override {
    if (!how_.ignores_cancel) end(true);
  }

  void end(bool cancelled) {
    std::shared_ptr<attempt> self;
    std::unique_ptr<scripted_connection> connection;
    error_code error = cancelled ? error_code(boost::asio::error::operation_aborted) : how_.error;
    {
      const std::lock_guard lock(state_->mutex);
      const auto found = state_->pending.find(this);
      if (found == state_->pending.end()) return;
      self = std::move(found->second);
      state_->pending.erase(found);
      connect_counts& counts = state_->counted[request_.where];
      --counts.opening;
      if (cancelled) ++counts.cancelled;
      if (!cancelled && error) ++counts.failed;
      if (!error) connection = make_connection();
    }
    post(error, std::move(connection));
  }

 private:
  void finish() { end(false); }

  std::unique_ptr<scripted_connection> make_connection() {
    auto peer = state_->add_peer(request_.where, how_.can_watch);
    const auto number = peer->number();
    try {
      return std::make_unique<scripted_connection>(
          std::move(peer), request_.executor, [s = state_, where = request_.where, number] {
            s->remove_peer(where, number);
          });
    } catch (...) {
      state_->open_peers.pop_back();
      --state_->counted[request_.where].open;
      throw;
    }
  }

  void post(error_code error, std::unique_ptr<scripted_connection> connection) {
    if (state_->time->is_stopped()) return;
    boost::asio::post(request_.executor,
                      [error, opened = std::move(connection), done = std::move(done_)]() mutable {
                        done(error, std::move(opened));
                      });
  }

  const std::shared_ptr<state> state_;
  connect_request request_;
  const connect_behaviour how_;
  handler done_;
  member_timer<attempt, &attempt::finish> timer_{*this};
};

scripted_connector::scripted_connector(simulation& sim)
    : scripted_connector(sim.executor(), sim.time()) {}

scripted_connector::scripted_connector(boost::asio::any_io_executor executor,
                                       std::shared_ptr<scheduler> time)
    : state_(std::make_shared<state>(std::move(executor), std::move(time))) {}

scripted_connector::~scripted_connector() {
  std::vector<std::shared_ptr<attempt>> left;
  {
    const std::lock_guard lock(state_->mutex);
    for (const auto& [raw, one] : state_->pending) left.push_back(one);
  }
  for (const auto& one : left) one->end(true);
}

void scripted_connector::behave(const endpoint& where, const connect_behaviour& how) {
  const std::lock_guard lock(state_->mutex);
  state_->always[where] = how;
}

void scripted_connector::behave(const connect_behaviour& how) {
  const std::lock_guard lock(state_->mutex);
  state_->usual = how;
}

void scripted_connector::next(const endpoint& where, const connect_behaviour& how) {
  const std::lock_guard lock(state_->mutex);
  state_->once[where].push_back(how);
}

void scripted_connector::accept(const endpoint& where, duration latency) {
  fail(where, {}, latency);
}

void scripted_connector::refuse(const endpoint& where, duration latency) {
  fail(where, boost::asio::error::connection_refused, latency);
}

void scripted_connector::fail(const endpoint& where, error_code error, duration latency) {
  connect_behaviour how;
  how.error = error;
  how.latency = latency;
  behave(where, how);
}

void scripted_connector::hang(const endpoint& where) {
  connect_behaviour how;
  how.never = true;
  behave(where, how);
}

std::shared_ptr<connect_operation> scripted_connector::open(const connect_request& request,
                                                            handler done) {
  std::shared_ptr<attempt> started;
  {
    const std::lock_guard lock(state_->mutex);
    started =
        std::make_shared<attempt>(state_, request, state_->take(request.where), std::move(done));
  }
  started->start();
  return started;
}

connect_counts scripted_connector::counts(const endpoint& where) const {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->counted.find(where);
  return found == state_->counted.end() ? connect_counts{} : found->second;
}

connect_counts scripted_connector::counts() const {
  const std::lock_guard lock(state_->mutex);
  connect_counts sum;
  for (const auto& [where, one] : state_->counted) {
    sum.asked += one.asked;
    sum.opening += one.opening;
    sum.opened += one.opened;
    sum.open += one.open;
    sum.failed += one.failed;
    sum.cancelled += one.cancelled;
  }
  return sum;
}

std::vector<endpoint> scripted_connector::attempts() const {
  const std::lock_guard lock(state_->mutex);
  return state_->asked;
}

std::vector<std::shared_ptr<scripted_peer>> scripted_connector::peers() const {
  const std::lock_guard lock(state_->mutex);
  return state_->open_peers;
}

std::vector<std::shared_ptr<scripted_peer>> scripted_connector::peers(const endpoint& where) const {
  auto found = peers();
  std::erase_if(found, [&](const auto& p) { return p->where() != where; });
  return found;
}

void scripted_connector::hang_up(const endpoint& where) {
  for (const auto& peer : peers(where)) peer->hang_up();
}

}  // namespace redial::inline REDIAL_ABI::testing
