// SPDX-License-Identifier: Apache-2.0
#include <redial/core/escaped.hpp>
#include <redial/testing/scripted_dns.hpp>
#include <redial/testing/simulation.hpp>

#include "core/service_set.hpp"

#include <boost/asio/post.hpp>
#include <boost/system/errc.hpp>

#include <algorithm>
#include <map>
#include <mutex>
#include <new>
#include <stdexcept>
#include <utility>

namespace redial::inline REDIAL_ABI::testing {
namespace {

std::string canonical(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string text(name);
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

question canonical(const question& q) {
  question out;
  out.name = canonical(q.name);
  out.type = q.type;
  return out;
}

question make_question(std::string_view name, record_type type) {
  question q;
  q.name = canonical(name);
  q.type = type;
  return q;
}

constexpr record_type both_families[] = {record_type::a, record_type::aaaa};
constexpr record_type every_type[] = {record_type::a, record_type::aaaa, record_type::srv};

error_code usual_error(answer_outcome o) {
  switch (o) {
    case answer_outcome::records:
      return {};
    case answer_outcome::no_data:
      return make_error_code(errc::no_data);
    case answer_outcome::name_not_found:
      return make_error_code(errc::name_not_found);
    case answer_outcome::timeout:
      return make_error_code(errc::dns_timeout);
    case answer_outcome::server_failure:
      return make_error_code(errc::dns_server_failure);
    case answer_outcome::refused:
      return make_error_code(errc::dns_refused);
    case answer_outcome::malformed:
      return make_error_code(errc::dns_bad_answer);
    case answer_outcome::local_fault:
      return boost::system::errc::make_error_code(boost::system::errc::too_many_files_open);
    case answer_outcome::closed:
      return make_error_code(errc::closed);
  }
  return {};
}

std::vector<address> parse_all(const std::vector<std::string>& texts) {
  std::vector<address> parsed;
  for (const std::string& text : texts) {
    const auto one = parse_address(text);
    if (!one) throw std::invalid_argument("scripted_dns: \"" + escaped(text) + "\" is no address");
    parsed.push_back(*one);
  }
  return parsed;
}

scripted_answer answer_of(const std::vector<address>& all,
                          record_type type,
                          std::chrono::seconds ttl) {
  scripted_answer a;
  a.ttl = ttl;
  for (const address& one : all) {
    if (one.is_v4() == (type == record_type::a)) a.addresses.push_back(one);
  }
  return a;
}

scripted_answer failure(answer_outcome outcome, error_code error = {}) {
  scripted_answer a;
  a.outcome = outcome;
  a.error = error;
  return a;
}

void check_addresses(const scripted_answer& from, answer& out) {
  for (const address& raw : from.addresses) {
    if (is_dialable(raw)) {
      out.addresses.push_back(unmapped(raw));
    } else {
      ++out.dropped;
    }
  }
  std::ranges::sort(out.addresses);
  // Not std::ranges::unique: clang 14 does not compile what that of libstdc++ 12 returns.
  const auto repeated = std::unique(out.addresses.begin(), out.addresses.end());
  out.addresses.erase(repeated, out.addresses.end());
}

void check_services(const scripted_answer& from, answer& out) {
  auto judged = redial::detail::judge_services(from.services);
  if (judged.no_service) out.error = make_error_code(errc::no_service);
  out.services = std::move(judged.usable);
  out.dropped = judged.dropped;
}

// The answer as a real source would hand it on: checked, sorted, without duplicates.
answer checked(const question& q, const scripted_answer& from) {
  answer out;
  out.asked = q;
  out.outcome = from.outcome;
  if (is_definite(out.outcome)) out.ttl = from.ttl;
  if (out.outcome == answer_outcome::records) {
    q.type == record_type::srv ? check_services(from, out) : check_addresses(from, out);
    if (out.addresses.empty() && out.services.empty()) out.outcome = answer_outcome::no_data;
  }
  if (from.error) out.error = from.error;
  if (!out.error) out.error = usual_error(out.outcome);
  return out;
}

}  // namespace

// What is answered, and what was asked. Shared by all sources over it.
struct scripted_dns::script {
  script(boost::asio::any_io_executor e, std::shared_ptr<scheduler> t)
      : executor(std::move(e)), time(std::move(t)) {}

  struct steps {
    std::vector<scripted_answer> answers;
    std::size_t next = 0;
    bool repeat_all = false;
  };

  void put(const question& q, steps s) {
    const std::lock_guard lock(mutex);
    answers[q] = std::move(s);
  }

  // Under the lock.
  scripted_answer take(const question& q) {
    const auto found = answers.find(q);
    if (found == answers.end() || found->second.answers.empty()) {
      return failure(answer_outcome::name_not_found);
    }
    steps& s = found->second;
    const std::size_t index = s.next;
    if (++s.next == s.answers.size()) s.next = s.repeat_all ? 0 : s.next - 1;
    return s.answers[index];
  }

  const boost::asio::any_io_executor executor;
  const std::shared_ptr<scheduler> time;
  mutable std::mutex mutex;
  std::map<question, steps> answers;
  std::vector<asked_question> log;
  std::map<question, std::size_t> flying;
  std::size_t most_flying = 0;
  duration latency{};
  duration give_up_after = std::chrono::seconds{5};
};

// The questions of one source that wait for their answers.
struct scripted_dns::asking : std::enable_shared_from_this<asking> {
  // One question on its way.
  struct flight : std::enable_shared_from_this<flight> {
    flight(std::shared_ptr<asking> home, answer said, handler done)
        : home_(std::move(home)), said_(std::move(said)), done_(std::move(done)) {}
    ~flight() { home_->script_->time->disarm(timer); }
    flight(const flight&) = delete;
    flight& operator=(const flight&) = delete;

    void start(duration latency) {
      if (latency <= duration::zero()) return land();
      timer.owned_by(weak_from_this());
      home_->script_->time->arm(timer, after(home_->script_->time->now(), latency));
    }
    void land() {
      if (!home_->forget(*this)) return;
      post();
    }
    void cut_off() {
      said_ = checked(said_.asked, failure(answer_outcome::closed));
      post();
    }

    [[nodiscard]] const question& asked() const noexcept { return said_.asked; }

    member_timer<flight, &flight::land> timer{*this};

   private:
    void post() {
      if (home_->script_->time->is_stopped()) return;
      boost::asio::post(home_->script_->executor,
                        [said = std::move(said_), done = std::move(done_)] { done(said); });
    }

    std::shared_ptr<asking> home_;
    answer said_;
    handler done_;
  };

  explicit asking(std::shared_ptr<script> s) : script_(std::move(s)) {}

  void ask(const question& q, handler done) {
    std::shared_ptr<flight> started;
    duration latency{};
    {
      const std::lock_guard lock(script_->mutex);
      script_->log.push_back({q, script_->time->now()});
      scripted_answer next = script_->take(q);
      latency = next.latency.value_or(script_->latency);
      if (latency > script_->give_up_after) {
        next = failure(answer_outcome::timeout);
        latency = script_->give_up_after;
      }
      if (closed_) {
        next = failure(answer_outcome::closed);
        latency = {};
      }
      started = std::make_shared<flight>(shared_from_this(), checked(q, next), std::move(done));
      flights_.push_back(started);
      script_->most_flying = std::max(script_->most_flying, ++script_->flying[q]);
    }
    started->start(latency);
  }

  void close() noexcept {
    std::vector<std::shared_ptr<flight>> cut;
    {
      const std::lock_guard lock(script_->mutex);
      closed_ = true;
      cut.swap(flights_);
      for (const auto& f : cut) --script_->flying[f->asked()];
    }
    try {
      for (const auto& f : cut) f->cut_off();
    } catch (const std::bad_alloc&) {
      // What cannot be posted is dropped.
    }
  }

  // True for the one that may answer it, who must hold a reference.
  bool forget(const flight& f) {
    const std::lock_guard lock(script_->mutex);
    const auto found =
        std::ranges::find_if(flights_, [&](const auto& other) { return other.get() == &f; });
    if (found == flights_.end()) return false;
    --script_->flying[f.asked()];
    flights_.erase(found);
    return true;
  }

  const std::shared_ptr<script> script_;
  std::vector<std::shared_ptr<flight>> flights_;  // in the order of asking
  bool closed_ = false;
};

scripted_dns::scripted_dns(simulation& sim) : scripted_dns(sim.executor(), sim.time()) {}

scripted_dns::scripted_dns(boost::asio::any_io_executor executor, std::shared_ptr<scheduler> time)
    : scripted_dns(std::make_shared<script>(std::move(executor), std::move(time))) {}

scripted_dns::scripted_dns(std::shared_ptr<script> s)
    : script_(std::move(s)), asking_(std::make_shared<asking>(script_)) {}

scripted_dns::~scripted_dns() { asking_->close(); }

std::unique_ptr<dns_source> scripted_dns::share() const {
  return std::unique_ptr<dns_source>(new scripted_dns(script_));
}

void scripted_dns::set(std::string_view name,
                       const std::vector<std::string>& addresses,
                       std::chrono::seconds ttl) {
  sequence(name, {addresses}, ttl);
}

void scripted_dns::set_srv(std::string_view name,
                           std::vector<srv_record> services,
                           std::chrono::seconds ttl) {
  sequence_srv(name, {std::move(services)}, ttl);
}

void scripted_dns::set(const question& q, scripted_answer a) { sequence(q, {std::move(a)}); }

void scripted_dns::sequence(const question& q,
                            std::vector<scripted_answer> answers,
                            bool repeat_all) {
  script_->put(canonical(q), {std::move(answers), 0, repeat_all});
}

void scripted_dns::sequence(std::string_view name,
                            const std::vector<std::vector<std::string>>& answers,
                            std::chrono::seconds ttl,
                            bool repeat_all) {
  for (const record_type type : both_families) {
    std::vector<scripted_answer> steps;
    for (const auto& texts : answers) steps.push_back(answer_of(parse_all(texts), type, ttl));
    sequence(make_question(name, type), std::move(steps), repeat_all);
  }
}

void scripted_dns::sequence_srv(std::string_view name,
                                std::vector<std::vector<srv_record>> answers,
                                std::chrono::seconds ttl,
                                bool repeat_all) {
  std::vector<scripted_answer> steps;
  for (auto& services : answers) {
    scripted_answer step;
    step.services = std::move(services);
    step.ttl = ttl;
    steps.push_back(std::move(step));
  }
  sequence(make_question(name, record_type::srv), std::move(steps), repeat_all);
}

void scripted_dns::fail(std::string_view name, answer_outcome outcome, error_code error) {
  const scripted_answer a = failure(outcome, error);
  for (const record_type type : every_type) set(make_question(name, type), a);
}

void scripted_dns::silence(std::string_view name) {
  scripted_answer a;
  a.latency = duration::max();
  for (const record_type type : every_type) set(make_question(name, type), a);
}

void scripted_dns::remove(std::string_view name) {
  const std::string gone = canonical(name);
  const std::lock_guard lock(script_->mutex);
  std::erase_if(script_->answers, [&](const auto& entry) { return entry.first.name == gone; });
}

void scripted_dns::latency(duration d) {
  const std::lock_guard lock(script_->mutex);
  script_->latency = d;
}

void scripted_dns::give_up_after(duration d) {
  const std::lock_guard lock(script_->mutex);
  script_->give_up_after = d;
}

void scripted_dns::ask(const question& q, handler done) {
  asking_->ask(canonical(q), std::move(done));
}

void scripted_dns::close() noexcept { asking_->close(); }

std::vector<asked_question> scripted_dns::asked() const {
  const std::lock_guard lock(script_->mutex);
  return script_->log;
}

std::size_t scripted_dns::times_asked(std::string_view name) const {
  const std::string wanted = canonical(name);
  const auto all = asked();
  return static_cast<std::size_t>(
      std::ranges::count_if(all, [&](const asked_question& a) { return a.what.name == wanted; }));
}

std::size_t scripted_dns::times_asked(const question& q) const {
  const question wanted = canonical(q);
  const auto all = asked();
  return static_cast<std::size_t>(
      std::ranges::count_if(all, [&](const asked_question& a) { return a.what == wanted; }));
}

std::size_t scripted_dns::in_flight() const {
  const std::lock_guard lock(script_->mutex);
  std::size_t sum = 0;
  for (const auto& [q, count] : script_->flying) sum += count;
  return sum;
}

std::size_t scripted_dns::most_in_flight_per_question() const {
  const std::lock_guard lock(script_->mutex);
  return script_->most_flying;
}

}  // namespace redial::inline REDIAL_ABI::testing
