// SPDX-License-Identifier: Apache-2.0
// The invariants.
//
// Counts     What a pool says it holds is what its connector holds, after every event, and never
//            more than its limits allow. What it has closed in its holder's hands, at the drain
//            deadline, it holds until it comes back.
// Once       An operation completes once, by its deadline at the latest.
// Waiters    Nobody waits while there is an idle connection that he would take.
// Leases     Each lease is of a connection that nobody else holds and that was opened during the
//            present life of its endpoint, after its probe had passed; to an endpoint that is
//            behind the name, or has left and is not replaced yet (never so when `exclusive`);
//            that is active, or ejected in a panic. A lease that was on its way when its endpoint
//            went out of use may still arrive, at that same instant.
// Belief     An address that a pool has seen and that was in every definite answer since then is
//            still an endpoint of the pool, whatever failures came in between.
// Never zero No endpoint may be leased only as long as none is known that works. By what the pool
//            itself says: none is active that is behind the name or retained, and none is ejected
//            while panic is allowed; and none that was active has just been dropped for leaving,
//            unless `exclusive` or the name itself may be gone. And by what is true: no address
//            that was in all answers, and whose peer was well, for `proven_by` is left without a
//            usable endpoint: longer than the longest backoff, outage and row of attempts before it
//            can take.
// Recovery   When all is well again, every address is in use, and calls and checkouts succeed.
// The end    Nothing is open, armed, waiting or pending; every operation has completed.

#include "scenario_world.hpp"

#include <boost/asio/error.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace redial::inline REDIAL_ABI::testing {

using namespace std::chrono_literals;

namespace {

constexpr duration proven_by = 3s;
constexpr duration longest_call = 1500ms;

bool is_current(const pooled_endpoint_explanation& e) {
  return e.standing == endpoint_standing::present || e.standing == endpoint_standing::absent;
}

}  // namespace

void scenario_world::broke(const std::string& what) {
  const auto at = fmt::format("{:.6f} s: ", std::chrono::duration<double>(sim_.elapsed()).count());
  say("BROKEN " + what);
  if (result_.broken.size() < 1000) result_.broken += at + what + "\n";
}

// Called when everything that belongs to one instant has happened.
void scenario_world::check() {
  settle_suspects();
  for (auto& u : users_) {
    check_counts(*u);
    if (!acted_ || u->base() == nullptr || u->ending || !chance(60)) continue;
    const pool_explanation x = u->base()->explain();
    check_usable(*u, x);
    check_belief(*u, x);
  }
  acted_ = false;
}

void scenario_world::check_counts(user& u) {
  const std::size_t alive = u.net->alive();
  if (u.base() == nullptr) {
    if (alive != 0) broke(fmt::format("{} connections outlive their pool", alive));
    return;
  }
  const pool_gauges g = u.base()->gauges();
  const std::size_t held = g.connecting + g.idle + g.leased + g.draining;
  if (held != alive && held != alive + taken_away(u)) {
    broke(fmt::format("{} connecting, {} idle, {} leased, {} draining, but {}",
                      g.connecting,
                      g.idle,
                      g.leased,
                      g.draining,
                      to_string(u.net->script().counts())));
  }
  if (g.waiting > 0 && g.idle > 0) check_waiters(u);
  if (held > u.options.pool.max_total_connections) broke(fmt::format("{} connections", held));
}

// Those of a call may exclude what it has tried, and those with a key wait for their endpoint.
void scenario_world::check_waiters(user& u) {
  if (u.client || u.options.pool.balance == balancing::consistent_hash) return;
  const pool_explanation x = u.base()->explain();
  const bool idles = std::any_of(x.endpoints.begin(), x.endpoints.end(), [](const auto& e) {
    return e.serving && e.idle > 0;
  });
  if (idles) broke("somebody waits beside an idle connection:\n" + to_string(x));
}

std::size_t scenario_world::taken_away(const user& u) const {
  std::set<std::uint64_t> open;
  for (const auto& p : u.net->script().peers()) open.insert(p->number());
  return static_cast<std::size_t>(std::count_if(held_.begin(), held_.end(), [&](const auto& h) {
    return h.second.of == &u && !open.contains(h.second.connection);
  }));
}

void scenario_world::check_usable(user& u, const pool_explanation& x) {
  const bool usable =
      std::any_of(x.endpoints.begin(), x.endpoints.end(), [](const auto& e) { return e.leasable; });
  const pool_explanation before = std::exchange(u.last_look, x);
  if (usable) return;
  check_retained(u, before, x.now);
  for (const auto& e : x.endpoints) {
    const bool may =
        e.health == endpoint_health::active ||
        (e.health == endpoint_health::ejected && u.options.pool.health.panic_threshold_percent > 0);
    if (may && e.standing != endpoint_standing::drained) {
      broke("nothing is usable:\n" + to_string(x));
    }
  }
  for (std::size_t n = 0; n < backend_count; ++n) {
    if (must_be_usable(u, n)) broke(fmt::format("{} works, but\n{}", n, to_string(x)));
  }
}

// One that has left serves until its replacement is proven, at least for `replacement_deadline`.
// Ejected ones do not, not even when a panic had them leased (design, Membership).
void scenario_world::check_retained(const user& u, const pool_explanation& before, time_point now) {
  const bool may_be_gone = u.has_services() || !heard_->lists_any(names[u.name]);
  const duration waits = u.options.pool.replacement_deadline;
  if (may_be_gone || u.options.pool.exclusive || now - before.now >= waits) return;
  for (const auto& e : before.endpoints) {
    const bool held = is_current(e) ||
                      (e.standing == endpoint_standing::retained && e.missing_since > now - waits);
    if (e.health != endpoint_health::active || !held) continue;
    const bool blamed = u.net->failed_at(e.where) >= before.now ||
                        u.seen->fell_ill_since(e.where, before.now) || u.slandered_at >= before.now;
    const auto after = std::find_if(
        u.last_look.endpoints.begin(), u.last_look.endpoints.end(), [&e](const auto& x) {
          return x.where == e.where && x.known_since == e.known_since;
        });
    const bool left =
        after == u.last_look.endpoints.end() || after->standing == endpoint_standing::drained;
    if (left && !blamed) {
      broke("dropped without a replacement:\n" + to_string(before) + to_string(u.last_look));
    }
  }
}

bool scenario_world::must_be_usable(const user& u, std::size_t number) const {
  // With so little room, holders of other leases may keep an endpoint from being tried.
  if (u.options.pool.max_total_connections < 10) return false;
  if (u.options.pool.health.panic_threshold_percent == 0) return false;
  const time_point long_ago = sim_.now() - proven_by;
  if (u.has_services() || u.slandered_at > long_ago) return false;
  const time_point listed = heard_->listed_since(names[u.name], where(number).addr);
  return std::max(u.known_since[number], listed) <= long_ago &&
         backends_[number].is == mood::well && backends_[number].well_since <= long_ago;
}

void scenario_world::check_belief(user& u, const pool_explanation& x) {
  if (x.closed || u.has_services()) return;
  for (std::size_t n = 0; n < backend_count; ++n) {
    const bool is_in = std::any_of(
        x.endpoints.begin(), x.endpoints.end(), [n](const pooled_endpoint_explanation& e) {
          return e.where == where(n) && e.standing == endpoint_standing::present;
        });
    const bool listed = heard_->listed_since(names[u.name], where(n).addr) != time_point::max();
    time_point& since = u.known_since[n];
    if (since != time_point::max() && listed && !is_in) {
      broke(fmt::format("{} is in every answer, but\n{}", n, to_string(x)));
    }
    since = listed && is_in ? std::min(since, sim_.now()) : time_point::max();
  }
}

// --- leases -------------------------------------------------------------------------------------

void scenario_world::judge_lease(user& u, const endpoint& at, std::uint64_t connection) {
  ++result_.leases;
  say(fmt::format("lease of #{} to {}", connection, to_string(at)));
  if (u.lent.contains(connection)) broke(fmt::format("#{} was lent twice", connection));
  const time_point given = u.net->given_at(connection);
  const time_point stranger = u.net->stranger_at(at);
  if (stranger < sim_.now() && given < stranger) broke("leased from before a stranger answered");
  if (u.base() == nullptr) {
    if (u.ended_at < sim_.now()) broke("leased from a pool that is gone");
    return;
  }
  const pool_explanation x = u.base()->explain();
  std::string why = "it is unknown";
  for (const auto& e : x.endpoints) {
    if (e.where != at) continue;
    why = fault_of_lease(u, e, given);
    if (why.empty()) return;
  }
  suspects_.push_back(
      {&u, at, fmt::format("#{} of {} lent, but {}", connection, to_string(at), why)});
}

std::string scenario_world::fault_of_lease(user& u,
                                           const pooled_endpoint_explanation& e,
                                           time_point given) const {
  if (given < e.known_since) return "it is of an earlier life";
  if (u.probe && u.probe->passed_at(e.where) < e.known_since) return "no probe has passed";
  if (u.options.pool.exclusive && !is_current(e)) return "it has left";
  if (e.standing == endpoint_standing::drained) return "it is drained";
  if (e.health == endpoint_health::active) return {};
  if (e.health == endpoint_health::ejected && e.leasable) return {};
  return std::string("it is ") + to_string(e.health);
}

// A lease may have been on its way while its endpoint went out of use.
void scenario_world::settle_suspects() {
  for (const suspect& s : suspects_) {
    const bool on_its_way = s.of->seen->went_out_now(s.where) || s.of->ended_at == sim_.now();
    if (!on_its_way) broke(s.why);
  }
  suspects_.clear();
}

// --- the end ------------------------------------------------------------------------------------

void scenario_world::heal() {
  quiet_time_ = true;
  say("all is well again");
  for (auto& [hold, h] : held_) h.of->lent.erase(h.connection);
  held_.clear();
  for (std::size_t n = 0; n < backend_count; ++n) set_mood(n, mood::well);
  for (std::size_t n = 0; n < name_count; ++n) publish(n, {0, 1, 2, 3, 4, 5});
  dns_.set_srv("c.test", {{names[0], 80, 0, 1}, {names[1], 80, 1, 1}}, std::chrono::seconds{1});
  const auto watched_until = [this](time_point t) {
    (void)sim_.run_until(
        [this, t] {
          check();
          return sim_.now() >= t;
        },
        t - sim_.now());
  };
  watched_until(sim_.now() + longest_call + proven_by);
  if (names_) {
    for (auto& u : users_) check_healed(*u);
  }
  watched_until(sim_.now() + 1600ms);
}

void scenario_world::check_healed(user& u) {
  if (u.ending || u.base() == nullptr) return;
  const auto g = u.base()->gauges();
  const bool has_room = u.options.pool.max_total_connections >= backend_count;
  if (has_room && !u.has_services() && g.endpoints_active != backend_count) {
    broke("not all are in use again:\n" + to_string(u.base()->explain()));
  }
  if (u.options.pool.queue_limit < 3 || g.endpoints_active == 0) return;
  check_out(u, true);
  if (u.client) call(u, true);
}

void scenario_world::finish() {
  for (auto& u : users_) {
    if (chance(50)) u->client ? u->client->close() : u->pool ? u->pool->close() : void();
    if (chance(50)) held_.clear();
    u->ended_at = sim_.now();
    u->client.reset();
    u->pool.reset();
  }
  if (names_) names_->close();
  names_.reset();
  sim_.advance(1min);
  check();
  deaf_.clear();
  held_.clear();
  sim_.settle();
  for (const started& s : operations_) {
    if (s.completions != 1) broke(fmt::format("{} completed {} times", s.what, s.completions));
  }
  for (auto& u : users_) {
    const auto counts = u->net->script().counts();
    if (counts.open + counts.opening != 0) broke("left: " + to_string(counts));
    result_.panics += u->seen->panics;
    for (const auto& [change, times] : u->seen->changes) result_.changes[change] += times;
  }
  if (dns_.in_flight() != 0) broke("questions are left");
  const auto left = sim_.left_over();
  if (!left.none()) broke("left: " + to_string(left));
}

}  // namespace redial::inline REDIAL_ABI::testing
