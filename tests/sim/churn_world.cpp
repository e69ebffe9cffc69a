// SPDX-License-Identifier: Apache-2.0
#include "churn_world.hpp"

#include <boost/asio/error.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>

namespace redial::inline REDIAL_ABI::testing {

namespace {

using namespace std::chrono_literals;

constexpr int backend_count = 60;
// An address that returns within 5 min makes the name a rotating one, which is drained by evidence
// and not at once; that is another history than this one.
constexpr duration stays_away = 6min;
constexpr auto name = "api.test";
constexpr std::uint16_t port = 80;
// The cap is the promise; the second on top is the time until a replacement is proven.
constexpr duration until_proven = 1s;
constexpr duration allowed_use = 10s + until_proven;
// After an outage the name is asked again when the last question that was lost in it has met its
// deadline and the longest backoff has passed.
constexpr duration longest_deafness = 5s + 10s;

}  // namespace

/// One request and its response, as far as time is concerned. A silent peer answers never: only the
/// cancellation ends it.
struct churn_world::exchange : std::enable_shared_from_this<exchange> {
  exchange(churn_world& w, scripted_connection& c, operation_handler h)
      : world(w), connection(c), handler(std::move(h)) {}

  void start(int number) {
    auto self = shared_from_this();
    const bool silent = world.backends_.at(number).silent;
    // The slot keeps a silent exchange alive; everything else is kept by its timer.
    handler->get_cancellation_slot().assign([self](boost::asio::cancellation_type) {
      self->finish(boost::asio::error::operation_aborted);
    });
    if (silent) return;
    world.sim_.after(world.between(1ms, 30ms), [self, number] {
      const bool fine = self->connection.peer().is_open() && self->world.is_working(number);
      self->finish(fine ? error_code{} : error_code(boost::asio::error::connection_reset));
    });
  }

  void finish(error_code ec) {
    if (!handler) return;
    auto done = std::move(*handler);
    handler.reset();
    done.get_cancellation_slot().clear();
    done(ec);
  }

  churn_world& world;
  scripted_connection& connection;
  std::optional<operation_handler> handler;
};

churn_world::churn_world(std::uint64_t seed)
    : sim_(seed), dns_(sim_), net_(std::make_shared<scripted_connector>(sim_)) {
  discovery_options discovery_settings;
  discovery_settings.watch.seed = seed | 1U;
  dns_.latency(5ms);
  names_ = discovery::create(sim_.executor(), discovery_settings, dns_.share(), sim_.time());

  connect_behaviour quick;
  quick.latency = 2ms;
  net_->behave(quick);
  client_options settings;
  settings.pool.seed = seed | 1U;
  client_ = std::make_unique<basic_client<scripted_connection>>(
      sim_.executor(), names_, target("tcp://api.test:80"), net_, settings, sim_.time());

  for (int i = 0; i < backend_count; ++i) backends_[i];
  for (int i = 0; i < 3; ++i) backends_[i].in_dns = true;
  dns_good_since_ = sim_.now();
  publish();
}

churn_world::~churn_world() = default;

churn_result churn_world::live(duration time) {
  end_ = sim_.now() + time;
  schedule_call();
  schedule_event();
  sim_.advance(time);
  sim_.advance(30s);  // the last calls
  client_->close();
  names_->close();
  sim_.advance(10min);  // the last backend to come back is ours, nothing else may be pending
  EXPECT_EQ(sim_.left_over(), leftovers{});
  EXPECT_EQ(net_->counts().open, 0U);
  EXPECT_EQ(net_->counts().opening, 0U);
  return result_;
}

endpoint churn_world::where(int number) const {
  return {*parse_address("10.0.0." + std::to_string(number + 1)), port};
}

bool churn_world::is_working(int number) const {
  const auto& b = backends_.at(number);
  return b.up && !b.silent;
}

std::vector<int> churn_world::members(bool in_dns, bool working) const {
  std::vector<int> found;
  for (const auto& [number, b] : backends_) {
    const bool rested =
        b.in_dns || b.left_dns == time_point{} || sim_.now() - b.left_dns > stays_away;
    if (b.in_dns == in_dns && is_working(number) == working && rested) found.push_back(number);
  }
  return found;
}

duration churn_world::between(duration low, duration high) {
  return duration(
      std::uniform_int_distribution<duration::rep>(low.count(), high.count())(sim_.rng()));
}

// FNV-1a over the words.
void churn_world::note(std::uint64_t word) noexcept {
  result_.trace = (result_.trace ^ word) * 1099511628211U;
}

void churn_world::publish() {
  std::vector<std::string> addresses;
  for (const auto& [number, b] : backends_) {
    if (b.in_dns) addresses.push_back(where(number).addr.to_string());
  }
  if (!dns_down_) dns_.set(name, addresses, 60s);
}

void churn_world::schedule_call() {
  sim_.after(between(200ms, 3800ms), [this] {
    if (sim_.now() >= end_) return;
    call();
    schedule_call();
  });
}

void churn_world::call() {
  ++result_.calls;
  auto operation = [this](attempt& a, scripted_connection& c, operation_handler done) {
    check_use(a.where());
    const int number = static_cast<int>(a.where().addr.to_v4().to_bytes()[3]) - 1;
    std::make_shared<exchange>(*this, c, std::move(done))->start(number);
  };
  client_->async_call(std::move(operation),
                      call_options(2s).idempotent(),
                      [this](error_code ec, const call_history& history) {
                        ++result_.completions;
                        note(static_cast<std::uint64_t>(sim_.elapsed().count()));
                        note(static_cast<std::uint64_t>(ec.value()));
                        note(history.attempts.size());
                        if (!ec) return;
                        ++result_.failed;
                        if (result_.first_failure.empty()) {
                          const auto at =
                              std::chrono::duration_cast<std::chrono::milliseconds>(sim_.elapsed());
                          result_.first_failure = std::to_string(at.count()) +
                                                  " ms: " + ec.message() + "\n" + history.text();
                        }
                      });
}

// An address that has left DNS is used no longer than the promise allows, or until DNS was heard
// again if it was down.
void churn_world::check_use(const endpoint& used) {
  note(used.addr.to_v4().to_uint());
  for (const auto& [number, b] : backends_) {
    if (b.in_dns || where(number) != used) continue;
    if (dns_down_) return;
    const auto since = sim_.now() - b.left_dns;
    const bool may_be_deaf = sim_.now() - dns_good_since_ <= longest_deafness + until_proven;
    if (may_be_deaf) return;
    const bool outage_between = dns_good_since_ > b.left_dns;
    if (!outage_between) result_.latest_use = std::max(result_.latest_use, since);
    if (since > allowed_use) ++result_.stale;
  }
}

void churn_world::check_counts() {
  const auto gauges = client_->connection_gauges();
  const auto counts = net_->counts();
  // A connection whose operation is being cancelled has left the pool and is not closed yet, but
  // cancelling is done within one instant here.
  EXPECT_EQ(counts.open, gauges.idle + gauges.leased) << "at " << sim_.elapsed().count();
  EXPECT_LE(counts.opening, gauges.connecting);
}

void churn_world::schedule_event() {
  sim_.after(between(20s, 120s), [this] {
    if (sim_.now() >= end_) return;
    event();
    check_counts();
    schedule_event();
  });
}

void churn_world::event() {
  switch (std::uniform_int_distribution<int>(0, 5)(sim_.rng())) {
    case 0:
    case 1:
    case 2:
      return move();
    case 3:
    case 4:
      return kill();
    default:
      return outage();
  }
}

// New members, of those that work; always at least three, so that one may die.
void churn_world::move() {
  auto candidates = members(false, true);
  const auto current = members(true, true);
  candidates.insert(candidates.end(), current.begin(), current.end());
  std::shuffle(candidates.begin(), candidates.end(), sim_.rng());
  if (candidates.size() < 3) return;
  const auto most = std::min<std::size_t>(candidates.size(), 6);
  candidates.resize(std::uniform_int_distribution<std::size_t>(3, most)(sim_.rng()));
  for (auto& [number, b] : backends_) {
    const bool member = std::find(candidates.begin(), candidates.end(), number) != candidates.end();
    if (b.in_dns && !member) b.left_dns = sim_.now();
    b.in_dns = member;
  }
  ++result_.moves;
  publish();
}

// One member dies or falls silent; DNS follows after 5 s; it comes back later.
void churn_world::kill() {
  const auto working = members(true, true);
  if (working.size() < 3 || dns_down_) return;
  const int number =
      working[std::uniform_int_distribution<std::size_t>(0, working.size() - 1)(sim_.rng())];
  auto& b = backends_.at(number);
  ++result_.deaths;
  if (std::bernoulli_distribution(0.5)(sim_.rng())) {
    b.up = false;
    net_->refuse(where(number), 1ms);
    net_->hang_up(where(number));
  } else {
    b.silent = true;
    net_->hang(where(number));
  }
  sim_.after(5s, [this, number] {
    auto& gone = backends_.at(number);
    if (!gone.in_dns) return;
    gone.in_dns = false;
    gone.left_dns = sim_.now();
    publish();
  });
  sim_.after(between(30s, 300s), [this, number] { revive(number); });
}

void churn_world::revive(int number) {
  auto& b = backends_.at(number);
  b.up = true;
  b.silent = false;
  net_->accept(where(number), 2ms);
}

void churn_world::outage() {
  if (dns_down_) return;
  dns_down_ = true;
  ++result_.outages;
  switch (std::uniform_int_distribution<int>(0, 3)(sim_.rng())) {
    case 0:
      dns_.silence(name);
      break;
    case 1:
      dns_.fail(name, answer_outcome::server_failure);
      break;
    case 2:
      dns_.fail(name, answer_outcome::name_not_found);
      break;
    default:
      dns_.fail(name, answer_outcome::no_data);
      break;
  }
  sim_.after(between(5s, 60s), [this] { end_outage(); });
}

void churn_world::end_outage() {
  dns_down_ = false;
  dns_good_since_ = sim_.now();
  publish();
}

}  // namespace redial::inline REDIAL_ABI::testing
