// SPDX-License-Identifier: Apache-2.0
// What the driver does without the lock: completing, closing, opening, watching, reporting.

#include "pool/pool_state.hpp"
#include "pool/probe_run.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <exception>
#include <new>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {

namespace asio = boost::asio;

namespace {

/// What an idle connection tells. One per connection, so that a notice of an earlier connection in
/// the same slot is known by its number.
class slot_watcher final : public idle_observer {
 public:
  slot_watcher(std::weak_ptr<pool_state> pool, pool_slot& slot, std::uint64_t number)
      : pool_(std::move(pool)), slot_(slot), number_(number) {}

  void stirred() override {
    if (const auto pool = pool_.lock()) pool->on_stirred(slot_, number_);
  }

 private:
  const std::weak_ptr<pool_state> pool_;
  pool_slot& slot_;
  const std::uint64_t number_;
};

doom_reason found_dead(pooled_connection& c) noexcept {
  return c.quiet() ? doom_reason{} : c.unquiet_reason();
}

}  // namespace

bool pool_state::is_lost(const std::bad_alloc& e, ticket t) noexcept {
  const auto* const lost = dynamic_cast<const handler_lost*>(&e);
  return lost != nullptr && lost->who == t;
}

template <class Completion, class... Args>
void pool_state::complete(errands& e, ticket who, Completion done, Args... args) {
  if (!may_post()) return;
  try {
    std::move(done).post(executor_, std::move(args)...);
  } catch (const std::bad_alloc&) {
    e.lost = who;
  }
}

void pool_state::run(errands& e) {
  pool_actions& a = e.actions;
  for (auto& [who, one] : e.waits_over) {
    lease_base found(one.end.slot);
    complete(e, who, std::move(one.done), one.end.error, std::move(found));
  }
  for (const auto& c : a.leases_cancelled) cancel_lease(c);
  for (auto& c : a.to_close) close_connection(std::move(c));
  if (a.found_dead != nullptr) close_connection(std::move(a.found_dead));
  a.to_drop.clear();
  if (may_post()) {
    for (const auto& o : a.to_cancel) o->cancel();
    for (const auto& w : a.watches) watch(w);
    for (const auto& o : a.openings) open(o);
  }
  // After the connections' ends, which are posted, too.
  for (auto& [who, done] : e.drains_over) {
    complete(e, who, std::move(done), e.drain_result);
  }
  for (const auto& r : a.reports) feed_->report(r.where, r.outcome, r.last_usable);
  if (a.refresh) feed_->refresh();
  if (options_.listener != nullptr) news_.tell(may_post());
  if (e.stop_feed) feed_->stop();
  if (e.lost != 0) throw handler_lost(e.lost);
}

// On its own executor: a handler of its idle notice may be running there.
void pool_state::close_connection(std::shared_ptr<pooled_connection> c) {
  if (may_post()) {
    try {
      asio::post(c->get_executor(), [c] { c->close(); });
      return;
    } catch (const std::bad_alloc&) {
      // Closing here is better than not at all.
    }
  }
  c->close();
}

void pool_state::cancel_lease(const pool_actions::cancelled_lease& c) {
  if (!may_post()) return;  // its holder is being destroyed, too
  asio::post(c.connection->get_executor(), [c] {
    if (const auto observer = c.observer.lock()) observer->lease_cancelled(c.why);
    c.connection->close();
  });
}

void pool_state::open(const pool_actions::opening& o) {
  connect_request request;
  request.where = o.where;
  request.deadline = o.deadline;
  request.executor = executor_;
  auto done = [weak = weak_from_this(), o](error_code ec,
                                           std::unique_ptr<pooled_connection> connection) {
    if (const auto self = weak.lock()) {
      self->on_opened(o, ec, std::move(connection));
    } else if (connection != nullptr) {
      connection->close();
    }
  };
  std::shared_ptr<connect_operation> operation;
  error_code failed;
  try {
    operation = opener_->open(request, std::move(done));
  } catch (const std::bad_alloc&) {
    failed = make_error_code(boost::system::errc::not_enough_memory);
  } catch (const std::exception&) {
    failed = make_error_code(boost::system::errc::operation_canceled);
  }
  if (failed) return conclude(o, failed, nullptr);
  if (operation != nullptr) opening_started(o, std::move(operation));
}

// The opening may be over already, or abandoned before there was anything to cancel.
void pool_state::opening_started(const pool_actions::opening& o,
                                 std::shared_ptr<connect_operation> operation) {
  {
    const std::lock_guard lock(mutex_);
    if (o.slot->number == o.number && o.slot->state == slot_state::opening) {
      // One that is there already is the check after it.
      if (o.slot->operation == nullptr) o.slot->operation = std::move(operation);
      return;
    }
  }
  operation->cancel();
}

void pool_state::on_opened(const pool_actions::opening& o,
                           error_code ec,
                           std::unique_ptr<pooled_connection> connection) {
  if (!ec && connection == nullptr) ec = make_error_code(boost::system::errc::not_connected);
  if (ec) return conclude(o, ec, nullptr);
  if (o.checked && may_post()) return check(o, std::move(connection));
  conclude(o, {}, std::move(connection));
}

// The check takes the place of the connect operation, so that what gives the opening up ends it.
void pool_state::check(const pool_actions::opening& o,
                       std::shared_ptr<pooled_connection> connection) {
  auto run = std::make_shared<probe_run>(
      connection,
      [weak = weak_from_this(), o](error_code ec, std::shared_ptr<pooled_connection> c) {
        if (const auto self = weak.lock()) {
          self->conclude(o, ec, std::move(c));
        } else {
          c->close();
        }
      });
  std::shared_ptr<connect_operation> finished = run;  // goes without the lock
  bool expected = false;
  {
    const std::lock_guard lock(mutex_);
    expected = o.slot->number == o.number && o.slot->state == slot_state::opening;
    if (expected) o.slot->operation.swap(finished);
  }
  if (!expected) return run->cancel();
  probe_request request;
  request.connection = std::move(connection);
  request.where = o.where;
  request.deadline = o.deadline;
  run->start(std::move(request), options_.health.probe);
}

void pool_state::conclude(const pool_actions::opening& o,
                          error_code ec,
                          std::shared_ptr<pooled_connection> connection) {
  pool_slot& s = *o.slot;
  std::shared_ptr<idle_observer> watcher;
  std::shared_ptr<connect_operation> finished;  // goes without the lock
  if (!ec) watcher = std::make_shared<slot_watcher>(weak_from_this(), s, o.number);
  const bool used_up = !ec && o.checked && !connection->quiet();
  step([&](time_point now, pool_actions& out) {
    const bool expected = s.number == o.number && s.state == slot_state::opening;
    if (!expected) {
      if (connection == nullptr) return;
      core_.opened_too_late(o.where, o.number, std::move(connection), out);
      return;
    }
    finished = std::move(s.operation);
    if (ec && connection != nullptr) {
      return core_.check_failed(s, std::move(connection), ec, now, out);
    }
    if (ec) return core_.open_failed(s, ec, now, out);
    s.watcher = std::move(watcher);
    if (used_up) s.doom = close_reason::spent;
    core_.opened(s, std::move(connection), now, out);
  });
}

void pool_state::watch(const pool_actions::watch& w) {
  asio::post(w.connection->get_executor(), [weak = weak_from_this(), w] {
    const bool can = w.connection->watch_idle(w.observer);
    if (const auto self = weak.lock()) self->on_watched(*w.slot, w.number, *w.connection, can);
  });
}

void pool_state::on_watched(pool_slot& s,
                            std::uint64_t number,
                            pooled_connection& c,
                            bool can_watch) {
  bool stirred = false;
  {
    const std::lock_guard lock(mutex_);
    if (s.number != number || s.state != slot_state::checking) return;
    s.watch = can_watch ? watching::yes : watching::no;
    if (!can_watch) s.armed = false;
    stirred = std::exchange(s.stirred, false);
  }
  const doom_reason dead = stirred ? found_dead(c) : doom_reason{};
  step([&](time_point now, pool_actions& out) { core_.checked(s, dead, now, out); });
}

// On the connection's executor.
void pool_state::on_stirred(pool_slot& s, std::uint64_t number) {
  std::shared_ptr<pooled_connection> c;
  {
    const std::lock_guard lock(mutex_);
    if (s.number != number || !core_.stirred(s)) return;
    c = s.connection;
  }
  const doom_reason dead = found_dead(*c);
  step([&](time_point now, pool_actions& out) { core_.checked(s, dead, now, out); });
}

}  // namespace redial::inline REDIAL_ABI::detail
