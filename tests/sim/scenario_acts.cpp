// SPDX-License-Identifier: Apache-2.0
// What callers do: check out, hold, return, call, cancel, and end what they use.

#include "scenario_world.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/error.hpp>
#include <fmt/format.h>

#include <utility>

namespace redial::inline REDIAL_ABI::testing {

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// An operation of a call that takes its time.
struct scenario_world::exchange : std::enable_shared_from_this<exchange> {
  exchange(scenario_world& w, user& u, std::uint64_t c, operation_handler h)
      : world(w), of(u), connection(c), handler(std::move(h)) {}

  void finish(const error_code& ec) {
    if (!handler) return;
    const auto self = shared_from_this();  // the slot may hold the last reference
    auto done = std::move(*handler);
    handler.reset();
    done.get_cancellation_slot().clear();
    release();
    done(ec);
  }
  // The connection is not in use any more.
  void release() { of.lent.erase(connection); }

  scenario_world& world;
  user& of;
  std::uint64_t connection;
  std::optional<operation_handler> handler;
};

scenario_world::started& scenario_world::begin(user& u, std::string_view what, time_point by) {
  ++result_.operations;
  say(fmt::format("{} {}", what, operations_.size()));
  started& s = operations_.emplace_back(u, what, by);
  if (!quiet_time_ && chance(20)) {
    sim_.after(between(0ms, 200ms), [this, &s] { cancel(s); });
  }
  return s;
}

void scenario_world::complete(started& s, const error_code& ec) {
  if (++s.completions > 1) broke(fmt::format("{} completed twice", s.what));
  if (sim_.now() > s.by) broke(fmt::format("{} completed after its deadline", s.what));
  if (ec) ++result_.failed;
  if (ec && s.must_succeed && s.of->base() != nullptr) {
    broke(
        fmt::format("{} failed: {}\n{}", s.what, ec.message(), to_string(s.of->base()->explain())));
  }
  note(static_cast<std::uint64_t>(sim_.elapsed().count()));
  note(static_cast<std::uint64_t>(ec.value()) * 8 + s.what.size());
  say(fmt::format("{} ends: {}", s.what, ec ? ec.message() : "well"));
}

void scenario_world::act(user& u) {
  if (u.base() == nullptr) return;
  const auto dice = below(100);
  if (dice < 8) {
    if (u.client) {
      (void)u.client->reset();
    } else {
      (void)u.pool->reset(asio::error::timed_out);
    }
  } else if (dice < 30) {
    check_out(u);
  } else if (dice < 45) {
    try_check_out(u);
  } else if (u.client) {
    call(u);
  } else {
    check_out(u);
  }
}

// --- calls --------------------------------------------------------------------------------------

call_options scenario_world::roll_call() {
  call_options o(between(0ms, 1500ms));
  o.is_idempotent = chance(50);
  if (chance(30)) o.key = endpoint_key(below(5));
  return o;
}

void scenario_world::call(user& u, bool must_succeed) {
  call_options o = must_succeed ? call_options(1500ms).idempotent() : roll_call();
  started& s = begin(u, "call", sim_.now() + *o.timeout);
  s.must_succeed = must_succeed;
  u.client->async_call(
      [this, &u](attempt& a, scripted_connection& c, operation_handler done) {
        run(u, a, c, std::move(done));
      },
      std::move(o),
      asio::bind_cancellation_slot(s.signal.slot(),
                                   [this, &s](error_code ec, const call_history& h) {
                                     note(h.attempts.size());
                                     complete(s, ec);
                                   }));
}

void scenario_world::run(user& u, attempt& a, scripted_connection& c, operation_handler done) {
  const std::uint64_t number = c.peer().number();
  judge_lease(u, a.where(), number);
  const mood m = backends_[number_of(a.where())].is;
  const auto dice = quiet_time_ ? 99 : below(100);
  if (dice < 3) return;  // uncalled
  u.lent.insert(number);
  auto x = std::make_shared<exchange>(*this, u, number, std::move(done));
  if (dice < 10) a.response_started();
  const bool deaf = dice >= 10 && dice < 16;
  x->handler->get_cancellation_slot().assign([x, deaf](asio::cancellation_type) {
    x->release();
    if (!deaf) x->finish(asio::error::operation_aborted);
  });
  if (m == mood::silent) {
    if (deaf) deaf_.push_back(std::move(*x->handler));
    return;
  }
  // What the peer says, and what the caller makes of it.
  sim_.after(between(0ms, quiet_time_ ? 10ms : 60ms), [x, m, dice, &a] {
    if (!x->handler) return;
    if (m == mood::fails) return x->finish(asio::error::connection_reset);
    if (dice >= 16 && dice < 20) a.moved();
    if (dice >= 20 && dice < 24) a.poison();
    if (dice >= 24 && dice < 28) a.spent();
    if (dice >= 28 && dice < 32) a.unwell();
    if (dice >= 32 && dice < 36) return x->finish(asio::error::eof);
    if (dice >= 36 && dice < 39) return x->finish(errc::not_sent);
    if (dice >= 39 && dice < 42) return x->finish(errc::partial_response);
    x->finish({});
  });
}

// --- leases -------------------------------------------------------------------------------------

void scenario_world::check_out(user& u, bool must_succeed) {
  const duration patience = must_succeed ? duration(1500ms) : between(0ms, 1500ms);
  checkout_options o(sim_.now() + patience);
  if (chance(30)) o.key = endpoint_key(below(5));
  started& s = begin(u, "checkout", *o.deadline);
  s.must_succeed = must_succeed;
  auto served = asio::bind_cancellation_slot(
      s.signal.slot(), [this, &s](error_code ec, lease<scripted_connection> l) {
        complete(s, ec);
        if (static_cast<bool>(l) == ec.failed()) broke("a lease with an error, or neither");
        if (l) keep(*s.of, std::move(l));
      });
  if (u.client) {
    u.client->async_checkout(std::move(o), std::move(served));
  } else {
    u.pool->async_checkout(std::move(o), std::move(served));
  }
}

void scenario_world::try_check_out(user& u) {
  if (!u.pool) return;
  auto l = u.pool->try_checkout();
  note(l.has_value() ? 1 : 2);
  if (l.has_value()) keep(u, std::move(*l));
}

// Holds a lease for a while; sometimes longer than its pool lives.
void scenario_world::keep(user& u, lease<scripted_connection> l) {
  const std::uint64_t connection = l->peer().number();
  judge_lease(u, l.where(), connection);
  u.lent.insert(connection);
  note(l.where().addr.to_v4().to_uint());
  const std::uint64_t hold = ++holds_;
  if (chance(20)) l.keep_until(sim_.now() + between(0ms, 2s));
  held_.emplace(hold, holding{&u, connection, std::move(l)});
  sim_.after(between(0ms,
                     quiet_time_  ? 50ms
                     : chance(10) ? 4s
                                  : 300ms),
             [this, hold, &u, connection] {
               acted_ = true;
               const auto found = held_.find(hold);
               if (found == held_.end()) return;
               u.lent.erase(connection);
               give_back(u, found->second.what);
               held_.erase(found);
             });
}

void scenario_world::give_back(user& u, lease<scripted_connection>& l) {
  const auto how = static_cast<lease_end>(quiet_time_ || chance(55) ? 0 : below(8));
  say(fmt::format("returns {} in way {}", to_string(l.where()), static_cast<int>(how)));
  switch (how) {
    case lease_end::returned:
      if (chance(50)) l.end(how);  // else it is destroyed
      break;
    case lease_end::reset:
      l.end(how, asio::error::connection_reset);
      break;
    case lease_end::failed:
      if (chance(10)) {
        u.slandered_at = sim_.now();
        l.end(how, errc::identity_mismatch);
      } else {
        l.end(how, asio::error::eof);
      }
      break;
    default:
      l.end(how, errc::attempt_timeout);
  }
}

// --- ends ---------------------------------------------------------------------------------------

void scenario_world::cancel(started& s) {
  if (s.completions == 0) ++result_.cancelled;
  say(fmt::format("cancels a {}", s.what));
  s.signal.emit(asio::cancellation_type::terminal);
  if (chance(30)) s.signal.emit(asio::cancellation_type::total);
}

// Everybody leaves at once, and some say so who have left already.
void scenario_world::cancel_many() {
  for (started& s : operations_) {
    if (s.completions == 0 ? chance(80) : chance(3)) cancel(s);
  }
}

void scenario_world::drain(user& u) {
  const time_point by = sim_.now() + between(0ms, 2s);
  started& s = begin(u, "drain", by);
  u.ending = true;
  auto over = asio::bind_cancellation_slot(s.signal.slot(), [this, &s, &u, by](error_code ec) {
    complete(s, ec);
    if (ec != asio::error::operation_aborted || sim_.now() >= by) u.ended_at = sim_.now();
  });
  if (u.client) {
    u.client->async_drain(by, std::move(over));
  } else {
    u.pool->async_drain(by, std::move(over));
  }
}

void scenario_world::end(user& u) {
  const auto dice = below(4);
  say(fmt::format("an end in way {}", dice));
  if (dice == 0) {
    drain(u);
    return;
  }
  u.ending = true;
  u.ended_at = sim_.now();
  if (dice == 1) {
    u.client ? u.client->close() : u.pool->close();
    return;
  }
  if (dice == 2) drain(u);
  u.client.reset();
  u.pool.reset();
}

}  // namespace redial::inline REDIAL_ABI::testing
