// SPDX-License-Identifier: Apache-2.0
// The script: names, peers, and when each thing happens.

#include "scenario_world.hpp"

#include <redial/discovery/feed.hpp>

#include <boost/asio/error.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <random>
#include <utility>

namespace redial::inline REDIAL_ABI::testing {

using namespace std::chrono_literals;

scenario_world::scenario_world(std::uint64_t seed, bool loud) : loud_(loud), sim_(seed) {
  dns_.latency(5ms);
  dns_.give_up_after(300ms);
  names_ = discovery::create(sim_.executor(), roll_discovery(), dns_.share(), sim_.time());
  for (backend& b : backends_) b.well_since = sim_.now();
  publish_services();
  for (std::size_t n = 0; n < name_count; ++n) {
    if (chance(90)) publish(n, {below(3), 3 + below(3)});
  }
  for (std::size_t n = 1 + below(2); n > 0; --n) add_user();
}

scenario_world::~scenario_world() = default;

scenario_result scenario_world::live() {
  end_ = sim_.now() + between(3s, 7s);
  sim_.after(0ms, [this] { step(); });
  const auto over = [this] {
    check();
    return sim_.now() >= end_;
  };
  (void)sim_.run_until(over, end_ - sim_.now());
  heal();
  finish();
  return result_;
}

void scenario_world::step() {
  if (sim_.now() >= end_) return;
  acted_ = true;
  const auto dice = below(100);
  user& u = *users_[below(users_.size())];
  if (dice < 66) {
    act(u);
  } else if (dice < 74) {
    change_dns();
  } else if (dice < 83) {
    change_backend();
  } else if (dice < 90) {
    disturb_peer();
  } else if (dice < 97) {
    cancel_many();
  } else {
    end_something();
  }
  sim_.after(chance(20) ? duration::zero() : between(1ms, 200ms), [this] { step(); });
}

discovery_options scenario_world::roll_discovery() {
  discovery_options o;
  o.watch.seed = 1 + below(1'000'000);
  o.watch.ttl_cap = chance(50) ? 1s : 2s;
  o.watch.backoff_max = 500ms;
  o.watch.min_forced_refresh_interval = chance(50) ? 500ms : 2s;
  o.watch.absence_window = 1s;
  o.watch.rotation_memory = 4s;
  o.watch.rotation_end = 6s;
  o.watch.stale_limit = chance(30) ? 3s : duration(1h);
  if (chance(20)) o.watch.on_name_not_found = o.watch.on_no_data = on_failure::believe;
  o.listener = heard_;
  return o;
}

client_options scenario_world::roll_options(const user& u) {
  client_options o;
  o.pool.seed = 1 + below(1'000'000);
  o.pool.max_connections = 1 + below(3);
  o.pool.max_total_connections = chance(15) ? 3 : 64;
  o.pool.min_idle = chance(25) ? 1 : 0;
  o.pool.queue_limit = chance(20) ? below(3) : 64;
  o.pool.checkout_timeout = between(50ms, 2s);
  o.pool.connect_timeout = 300ms;
  o.pool.idle_timeout = chance(30) ? between(300ms, 2s) : 50s;
  o.pool.max_lifetime = chance(20) ? duration(2s) : duration(1h);
  o.pool.max_warming = chance(30) ? 1 : 8;
  o.pool.warm_backoff_max = 500ms;
  o.pool.replacement_deadline = chance(20) ? duration::zero() : between(200ms, 3s);
  o.pool.drain_deadline = between(0ms, 2s);
  o.pool.exclusive = chance(15);
  o.pool.identity_proven = chance(30);
  o.pool.balance = static_cast<balancing>(below(3));
  o.pool.min_reset_interval = chance(30) ? duration::zero() : 2s;
  o.pool.max_connecting = chance(20) ? 1 : 128;
  health_options& h = o.pool.health;
  h.consecutive_failures = chance(20) ? 0 : 1 + static_cast<std::uint32_t>(below(4));
  h.ejection_base = 250ms;
  h.ejection_max = 1s;
  h.max_ejected_percent = chance(20) ? 100 : 50;
  h.panic_threshold_percent = chance(20) ? 0 : 50;
  h.slow_start = chance(25) ? 1s : duration::zero();
  h.probe = u.probe;
  h.probe_interval = between(300ms, 2s);
  h.probe_timeout = 100ms;
  h.unhealthy_after = 1 + static_cast<std::uint32_t>(below(3));
  if (chance(25)) o.retry = retry_policy::finagle();
  o.retry.retry_unsafe = chance(10);
  if (chance(15)) o.retry.budget_percent = o.retry.budget_per_second = 0;
  if (chance(25)) {
    o.retry.retry_if = [](const attempt_record& r, bool suggested) {
      return r.elapsed.count() % 3 == 0 ? !suggested : suggested;
    };
  }
  if (chance(30)) o.hedge.when = hedge_policy::trigger::after_delay;
  o.hedge.delay = 10ms;
  o.hedge.max_percent = 100;
  if (chance(30)) o.attempt_timeout = between(20ms, 500ms);
  o.listener = u.seen;
  o.pool.listener = u.seen;
  return o;
}

void scenario_world::add_user() {
  users_.push_back(std::make_unique<user>(sim_, chance(15) ? name_count : below(name_count)));
  user& u = *users_.back();
  if (chance(30)) {
    u.probe = std::make_shared<witnessed_probe>(sim_, [this](const endpoint& e) {
      const mood m = backends_[number_of(e)].is;
      if (m == mood::silent) return probe_answer::silent;
      return m == mood::well || m == mood::slow ? probe_answer::well : probe_answer::sick;
    });
  }
  u.options = roll_options(u);
  for (std::size_t n = 0; n < backend_count; ++n) apply_mood(u, n);
  const std::string t =
      u.has_services() ? "srv://c.test" : fmt::format("tcp://{}:80", names[u.name]);
  say(fmt::format("new user {} of {}", users_.size() - 1, t));
  if (chance(60)) {
    u.client.emplace(sim_.executor(), names_, target(t), u.net, u.options, sim_.time());
  } else {
    u.pool.emplace(
        sim_.executor(), make_feed(names_, target(t)), u.net, u.options.pool, sim_.time());
  }
}

// --- names --------------------------------------------------------------------------------------

void scenario_world::change_dns() {
  if (!names_) return;
  if (chance(15)) return publish_services();
  const std::size_t name = below(name_count);
  const auto dice = below(10);
  if (dice < 2) return fail_dns(name);
  if (dice < 4) return rotate(name);
  std::set<std::size_t> members;
  for (std::size_t n = 0; n < backend_count; ++n) {
    if (chance(members_[name].contains(n) ? 75 : 25)) members.insert(n);
  }
  if (members.empty()) members.insert(below(backend_count));
  publish(name, std::move(members));
}

void scenario_world::publish(std::size_t name, std::set<std::size_t> members) {
  std::vector<std::string> addresses;
  for (const std::size_t n : members) addresses.push_back(where(n).addr.to_string());
  say(fmt::format("{} is {}", names[name], fmt::join(addresses, " ")));
  dns_.set(names[name], addresses, std::chrono::seconds(below(6)));
  members_[name] = std::move(members);
}

// Each of the names is a target of the service, at priorities that change.
void scenario_world::publish_services() {
  if (chance(10)) return dns_.fail("c.test", answer_outcome::server_failure);
  std::vector<srv_record> all;
  for (const char* name : names) {
    if (chance(80)) all.push_back({name, 80, static_cast<std::uint16_t>(below(2)), 1});
  }
  say(fmt::format("c.test has {} targets", all.size()));
  dns_.set_srv("c.test", std::move(all), 1s);
}

// Each answer shows another pair of all.
void scenario_world::rotate(std::size_t name) {
  std::vector<std::vector<std::string>> samples;
  for (std::size_t n = 0; n < 5; ++n) {
    samples.push_back({where(below(backend_count)).addr.to_string(),
                       where(below(backend_count)).addr.to_string()});
  }
  say(fmt::format("{} rotates", names[name]));
  dns_.sequence(names[name], samples, std::chrono::seconds(below(3)), true);
}

void scenario_world::fail_dns(std::size_t name) {
  const auto dice = below(5);
  say(fmt::format("{} fails in way {}", names[name], dice));
  if (dice == 0) return dns_.silence(names[name]);
  if (dice == 1) return dns_.fail(names[name], answer_outcome::server_failure);
  if (dice == 2) return dns_.fail(names[name], answer_outcome::refused);
  dns_.fail(names[name], dice == 3 ? answer_outcome::name_not_found : answer_outcome::no_data);
}

// --- peers --------------------------------------------------------------------------------------

void scenario_world::change_backend() {
  const std::size_t number = below(backend_count);
  set_mood(number, chance(45) ? mood::well : static_cast<mood>(below(8)));
  if (chance(30)) {
    for (auto& u : users_) {
      for (const auto& p : u->net->script().peers()) {
        if (number_of(p->where()) == number) p->hang_up();
      }
    }
  }
}

void scenario_world::set_mood(std::size_t number, mood m) {
  backend& b = backends_[number];
  if (m == mood::well && b.is != mood::well) b.well_since = sim_.now();
  b.is = m;
  say(fmt::format("backend {} is in mood {}", number, static_cast<int>(m)));
  for (auto& u : users_) apply_mood(*u, number);
}

void scenario_world::apply_mood(user& u, std::size_t number) {
  connect_behaviour how;
  how.latency = 2ms;
  how.can_watch = number % 3 != 0;
  switch (backends_[number].is) {
    case mood::well:
    case mood::fails:
    case mood::silent:
      break;
    case mood::slow:
      how.latency = between(20ms, 500ms);
      how.ignores_cancel = chance(30);
      break;
    case mood::refuses:
      how.error = boost::asio::error::connection_refused;
      break;
    case mood::hangs:
      how.never = true;
      break;
    case mood::stranger:
      how.error = errc::identity_mismatch;
      break;
    case mood::local_fault:
      how.error = boost::system::errc::make_error_code(boost::system::errc::too_many_files_open);
      break;
  }
  endpoint at = where(number);
  u.net->script().behave(at, how);
  if (!u.has_services()) return;
  for (const char* name : names) {
    at.srv_target = name;
    u.net->script().behave(at, how);
  }
}

void scenario_world::disturb_peer() {
  user& u = *users_[below(users_.size())];
  const auto peers = u.net->script().peers();
  if (peers.empty()) return;
  scripted_peer& p = *peers[below(peers.size())];
  const auto dice = below(4);
  say(fmt::format("peer {} does {}", to_string(p.where()), dice));
  if (dice == 0) p.hang_up();
  if (dice == 1) p.send_unasked();
  if (dice == 2) p.stir();
  if (dice == 3) p.break_silently();
}

// --- ends ---------------------------------------------------------------------------------------

void scenario_world::end_something() {
  if (names_ && chance(4)) {
    say("discovery ends");
    if (chance(50)) names_->close();
    names_.reset();
    return;
  }
  user& u = *users_[below(users_.size())];
  if (u.ended_at == time_point::max()) {
    ++result_.ended;
    end(u);
  }
  if (names_ && users_.size() < 4) add_user();
}

// --- small things -------------------------------------------------------------------------------

endpoint scenario_world::where(std::size_t number) {
  return {boost::asio::ip::make_address_v4(0x0a000001U + static_cast<std::uint32_t>(number)), 80};
}

std::size_t scenario_world::number_of(const endpoint& e) {
  return static_cast<std::size_t>(e.addr.to_v4().to_uint() - 0x0a000001U);
}

std::size_t scenario_world::below(std::size_t n) {
  return std::uniform_int_distribution<std::size_t>(0, n - 1)(sim_.rng());
}

duration scenario_world::between(duration low, duration high) {
  return duration(
      std::uniform_int_distribution<duration::rep>(low.count(), high.count())(sim_.rng()));
}

// FNV-1a over the words.
void scenario_world::note(std::uint64_t word) noexcept {
  result_.trace = (result_.trace ^ word) * 1099511628211U;
}

void scenario_world::say(const std::string& what) {
  if (!loud_) return;
  fmt::print("{:9.3f} {}\n", std::chrono::duration<double>(sim_.elapsed()).count(), what);
}

}  // namespace redial::inline REDIAL_ABI::testing
