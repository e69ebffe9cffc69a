// SPDX-License-Identifier: Apache-2.0
#include "fault_world.hpp"

#include <redial/core/target.hpp>

#include <algorithm>

namespace redial::inline REDIAL_ABI::testing {
namespace {

constexpr record_type families[] = {record_type::a, record_type::aaaa};

void mend(dns_server& dns, const soft_fault& fault) {
  dns.behave("api.test", dns_manner{});
  for (const auto type : families) dns.raw("api.test", type, nullptr);
  dns.tcp(tcp_manner::serve);
  dns.silence(false);
  dns.start();
  fault.end(dns);
}

bool failed_often(const answer_log& log, std::size_t count, std::size_t from) {
  return std::all_of(std::begin(families), std::end(families), [&](record_type type) {
    return log.failures(type, from) >= count;
  });
}

// No answer of the fault counts as a statement about the name, and none needs a deadline when it
// must not.
void expect_failures_only(const answer_log& log, std::size_t from, bool at_once) {
  for (std::size_t i = from; i < log.all.size(); ++i) {
    const auto& a = log.all[i].what;
    EXPECT_TRUE(!is_definite(a.outcome) || a.outcome == answer_outcome::records)
        << to_string(a.outcome) << ": " << a.error.message();
    if (is_definite(a.outcome)) continue;
    EXPECT_TRUE(a.error);
    EXPECT_EQ(a.error, condition::retryable);
    EXPECT_FALSE(at_once && a.outcome == answer_outcome::timeout);
  }
}

// Between a failure and the next answer lies at least the backoff, whose jitter takes a fifth off.
void expect_backoff(const answer_log& log, const watch_options& options, std::size_t from) {
  for (const auto type : families) {
    time_point not_before{};
    duration wait = options.backoff_base;
    for (std::size_t i = from; i < log.all.size(); ++i) {
      const auto& e = log.all[i];
      if (e.what.asked.type != type) continue;
      EXPECT_GE(e.at, not_before) << "asked again too soon";
      if (is_definite(e.what.outcome)) {
        wait = options.backoff_base;
        continue;
      }
      not_before = e.at + wait / 5 * 4;
      wait = std::min(2 * wait, options.backoff_max);
    }
  }
}

void add_cost(fault_world& w, fault_cost& cost) {
  cost.turns += w.turns;
  cost.failures += w.answers->failures(record_type::a) + w.answers->failures(record_type::aaaa);
}

duration patience(const soft_fault& fault) { return fault.at_once ? 1min : fault.query_timeout; }

void fail_while_known(const soft_fault& fault, fault_cost& cost) {
  SCOPED_TRACE("while the name is known");
  fault_world w(patience(fault));
  fault.prepare(w.options);
  set_good(w.dns);
  auto& v = w.watch();
  ASSERT_TRUE(v.becomes(good_endpoints)) << ::testing::PrintToString(v.endpoints());

  fault.begin(w.dns);
  const auto from = w.answers->all.size();
  ASSERT_TRUE(w.wait([&] { return failed_often(*w.answers, fault.failures, from); }));
  ASSERT_TRUE(w.wait([&] { return v.now().state == freshness::stale; }));
  v.expect_only(good_endpoints);
  EXPECT_EQ(v.endpoints(), good_endpoints);
  EXPECT_TRUE(v.now().error);
  EXPECT_FALSE(v.now().definite);
  expect_failures_only(*w.answers, from, fault.at_once);
  expect_backoff(*w.answers, w.options.watch, from);

  mend(w.dns, fault);
  w.dns.set("api.test", record_type::a, {"127.0.0.4"}, 1s);
  w.dns.set("api.test", record_type::aaaa, {"fd00::4"}, 1s);
  ASSERT_TRUE(v.becomes({"127.0.0.4:80", "[fd00::4]:80"}));
  ASSERT_TRUE(w.wait([&] { return v.now().state == freshness::fresh && !v.now().error; }));
  add_cost(w, cost);
}

void fail_when_cold(const soft_fault& fault, fault_cost& cost) {
  SCOPED_TRACE("at a cold start");
  fault_world w(patience(fault));
  fault.prepare(w.options);
  set_good(w.dns);
  fault.begin(w.dns);
  auto& v = w.watch();
  ASSERT_TRUE(w.wait([&] { return failed_often(*w.answers, 1, 0) && !v.seen.empty(); }));
  v.expect_only({});
  EXPECT_EQ(v.now().state, freshness::unresolved);
  EXPECT_TRUE(v.now().error);
  EXPECT_FALSE(v.now().definite);
  expect_failures_only(*w.answers, 0, fault.at_once);

  mend(w.dns, fault);
  ASSERT_TRUE(v.becomes(good_endpoints));
  v.expect_only(good_endpoints);
  add_cost(w, cost);
}

}  // namespace

discovery_options quick_options(duration query_timeout) {
  discovery_options o;
  o.query_timeout = query_timeout;
  o.watch.ttl_floor = 10ms;
  o.watch.ttl_cap = 20ms;
  o.watch.backoff_base = 10ms;
  o.watch.backoff_max = 50ms;
  o.watch.seed = 1;
  o.hosts_path = "";
  return o;
}

std::size_t answer_log::count(const std::string& name, record_type type) const {
  return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const entry& e) {
    return e.what.asked.name == name && e.what.asked.type == type;
  }));
}

std::size_t answer_log::count(record_type type, answer_outcome o, std::size_t from) const {
  return static_cast<std::size_t>(std::count_if(
      all.begin() + static_cast<std::ptrdiff_t>(from), all.end(), [&](const entry& e) {
        return e.what.asked.type == type && e.what.outcome == o;
      }));
}

std::size_t answer_log::failures(record_type type, std::size_t from) const {
  return static_cast<std::size_t>(std::count_if(
      all.begin() + static_cast<std::ptrdiff_t>(from), all.end(), [&](const entry& e) {
        return e.what.asked.type == type && !is_definite(e.what.outcome);
      }));
}

std::optional<answer> answer_log::last(const std::string& name, record_type type) const {
  const auto at = std::find_if(all.rbegin(), all.rend(), [&](const entry& e) {
    return e.what.asked.name == name && e.what.asked.type == type;
  });
  return at == all.rend() ? std::nullopt : std::optional{at->what};
}

view::view(fault_world& world, const std::string& target_text)
    : world_(world),
      watcher_(world.io.get_executor(),
               world.names(),
               target(target_text),
               [this](const endpoint_delta& d, const snapshot_ptr& s) {
                 deltas.push_back(d);
                 seen.push_back(s);
               }) {}

texts view::texts_of(const snapshot& s) {
  texts all;
  for (const auto& e : s.endpoints) all.push_back(to_string(e.where));
  return all;
}

bool view::becomes(const texts& wanted) {
  return world_.wait([&] { return !seen.empty() && texts_of(*seen.back()) == wanted; });
}

void view::expect_always(const texts& wanted, std::size_t from) const {
  for (std::size_t i = from; i < seen.size(); ++i) EXPECT_EQ(texts_of(*seen[i]), wanted);
}

void view::expect_only(const texts& allowed) const {
  for (const auto& s : seen) {
    for (const auto& e : texts_of(*s)) {
      EXPECT_NE(std::find(allowed.begin(), allowed.end(), e), allowed.end()) << e;
    }
  }
}

std::size_t view::removals() const {
  std::size_t sum = 0;
  for (const auto& d : deltas) sum += d.removed.size();
  return sum;
}

fault_world::fault_world(duration query_timeout) : options(quick_options(query_timeout)) {
  options.nameservers = {dns.address()};
  options.listener = answers;
}

fault_world::~fault_world() {
  views_.clear();
  if (names_) names_->close();
  io.restart();
  io.poll();
}

const std::shared_ptr<discovery>& fault_world::names() {
  if (!names_) names_ = discovery::create(io.get_executor(), options);
  return names_;
}

view& fault_world::watch(const std::string& target_text) {
  views_.push_back(std::make_unique<view>(*this, target_text));
  return *views_.back();
}

bool fault_world::more_answers(std::size_t count, const std::string& name) {
  const auto wanted = answers->count(name, record_type::a) + count;
  return wait([&] { return answers->count(name, record_type::a) >= wanted; });
}

explanation fault_world::explain(const std::string& target_text) {
  std::optional<explanation> got;
  names()->async_explain(target(target_text), [&](explanation e) { got = std::move(e); });
  if (!wait([&] { return got.has_value(); })) ADD_FAILURE() << "no explanation";
  return got.value_or(explanation{});
}

void set_good(dns_server& dns) {
  dns.set("api.test", record_type::a, {"127.0.0.2", "127.0.0.3"}, 1s);
  dns.set("api.test", record_type::aaaa, {"fd00::2"}, 1s);
}

fault_cost expect_soft_failure(const soft_fault& fault) {
  fault_cost cost;
  fail_while_known(fault, cost);
  fail_when_cold(fault, cost);
  return cost;
}

fault_cost expect_soft_failure(const dns_raw_hook& hook, std::size_t failures) {
  soft_fault fault([&](dns_server& dns) {
    for (const auto type : families) dns.raw("api.test", type, hook);
  });
  fault.failures = failures;
  return expect_soft_failure(fault);
}

fault_cost expect_soft_failure(const dns_manner& manner) {
  return expect_soft_failure(soft_fault([&](dns_server& dns) { dns.behave("api.test", manner); }));
}

}  // namespace redial::inline REDIAL_ABI::testing
