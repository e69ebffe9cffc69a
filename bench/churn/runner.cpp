// SPDX-License-Identifier: Apache-2.0
#include "churn/runner.hpp"

#include "churn/load_generator.hpp"
#include "churn/progress.hpp"
#include "support/interruption.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/core.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <thread>
#include <utility>

namespace redial::churn {

namespace {

namespace asio = boost::asio;

constexpr auto aftermath = std::chrono::seconds{3};

// One client with its load, on its own thread.
class lane {
 public:
  lane(const entrant& e, const service_address& where, const load_settings& load)
      : client_(e.make(io_.get_executor(), where)), load_(io_, *client_, load) {}
  lane(const lane&) = delete;
  lane& operator=(const lane&) = delete;
  ~lane() {
    io_.stop();
    if (thread_.joinable()) thread_.join();
  }

  /// `ended` is called on the lane's thread, with what went wrong if anything did.
  void start(time_point start, std::function<void(std::exception_ptr)> ended) {
    asio::post(io_, [this, start] {
      load_.run(start, [this] {
        connections_ = client_->connections();
        client_->close();
        io_.stop();
      });
    });
    thread_ = std::thread([this, ended = std::move(ended)] {
      std::exception_ptr failure;
      try {
        io_.run();
      } catch (...) {
        failure = std::current_exception();
      }
      ended(failure);
    });
  }

  [[nodiscard]] const live_counters& live() const noexcept { return load_.live(); }

  /// After `ended`.
  void fill(contestant_record& record) {
    record.requests = load_.take_records();
    record.connections = connections_;
  }

 private:
  // A client that is idle at first must not let run() return.
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> busy_{io_.get_executor()};
  std::unique_ptr<contestant> client_;
  load_generator load_;
  std::uint64_t connections_ = 0;
  std::thread thread_;
};

// The main thread: the script, the progress, the end.
class director {
 public:
  director(asio::io_context& io, const scenario& s, stage& world, progress& view, run_record& run)
      : io_(io),
        script_(io),
        tick_(io),
        guard_(io),
        scenario_(s),
        world_(world),
        view_(view),
        run_(run) {}

  void start(time_point start, std::size_t lanes, duration limit) {
    start_ = start;
    lanes_ = lanes;
    guard_.expires_at(start + limit);
    guard_.async_wait([this](const auto& ec) {
      if (!ec) end(std::make_exception_ptr(std::runtime_error("the run did not end in time")));
    });
    wait_for_step();
    wait_for_tick();
  }

  void lane_ended(std::exception_ptr failure) {
    if (failure || --lanes_ == 0) end(failure);
  }

  /// \throws What went wrong.
  void run() {
    io_.run();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void wait_for_step() {
    if (next_ == scenario_.steps.size()) return;
    script_.expires_at(start_ + scenario_.steps[next_].at);
    script_.async_wait([this](const auto& ec) {
      if (!ec) take_step();
    });
  }

  void take_step() {
    const auto& s = scenario_.steps[next_++];
    event_record event{clock::now() - start_, s.text, s.label};
    if (s.sudden) run_.sudden.push_back({event.at, event.at + aftermath});
    s.action(world_);
    view_.event(event.at, event.text);
    run_.events.push_back(std::move(event));
    wait_for_step();
  }

  void wait_for_tick() {
    tick_.expires_after(std::chrono::milliseconds{200});
    tick_.async_wait([this](const auto& ec) {
      if (ec) return;
      if (bench::was_interrupted()) return end(std::make_exception_ptr(bench::interrupted()));
      const auto at = clock::now() - start_;
      if (at >= duration::zero()) view_.tick(at, world_.states());
      wait_for_tick();
    });
  }

  void end(std::exception_ptr failure) {
    failure_ = failure;
    io_.stop();
  }

  asio::io_context& io_;
  asio::steady_timer script_;
  asio::steady_timer tick_;
  asio::steady_timer guard_;
  const scenario& scenario_;
  stage& world_;
  progress& view_;
  run_record& run_;
  time_point start_{};
  std::size_t next_ = 0;
  std::size_t lanes_ = 0;
  std::exception_ptr failure_;
};

constexpr const char* domain = ".churn.test";

std::string host_of(const entrant& e) { return e.id + domain; }

std::vector<std::string> hosts_of(const std::vector<entrant>& entrants) {
  std::vector<std::string> hosts;
  for (const auto& e : entrants) hosts.push_back(host_of(e));
  return hosts;
}

run_settings settings_of(const scenario& s, const run_options& o) {
  run_settings r;
  r.scenario = s.name;
  r.title = s.title;
  r.length = s.length;
  r.rate = o.rate;
  r.deadline = o.deadline;
  r.in_flight_limit = o.in_flight_limit;
  r.ttl = s.ttl;
  r.ttl_cap = s.ttl_cap;
  r.allowed_stale = s.allowed_stale();
  r.complete_answers = s.sample == 0;
  r.dns_faults = s.dns_faults;
  r.effective_ttl = s.effective_ttl();
  r.seed = o.seed;
  return r;
}

load_settings load_of(const scenario& s, const run_options& o) {
  load_settings load;
  load.rate = o.rate;
  for (const auto& change : s.load) {
    load.phases.push_back(
        {change.from, std::max(1U, static_cast<std::uint32_t>(o.rate * change.factor))});
  }
  load.length = s.length;
  load.deadline = o.deadline;
  load.in_flight_limit = o.in_flight_limit;
  return load;
}

// Those who take part, and a record for everybody.
class field {
 public:
  field(const scenario& s,
        const std::vector<entrant>& entrants,
        const run_options& options,
        const stage& world) {
    for (const auto& e : entrants) {
      auto where = world.where(host_of(e));
      where.seed = options.seed;
      contestant_record c;
      c.id = e.id;
      c.title = e.title;
      if (e.refuses) c.absent = e.refuses(where);
      records_.push_back(std::move(c));
      const bool runs = records_.back().absent.empty();
      lanes_.push_back(runs ? std::make_unique<lane>(e, where, load_of(s, options)) : nullptr);
    }
  }

  [[nodiscard]] std::vector<watched_contestant> watched() const {
    std::vector<watched_contestant> all;
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      if (lanes_[i]) all.push_back({records_[i].id, records_[i].title, &lanes_[i]->live()});
    }
    return all;
  }

  [[nodiscard]] std::size_t size() const { return watched().size(); }

  void start(time_point at, const std::function<void(std::exception_ptr)>& ended) {
    for (auto& l : lanes_) {
      if (l) l->start(at, ended);
    }
  }

  /// After all have ended.
  std::vector<contestant_record> take_records(const stage& world) {
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      if (!lanes_[i]) continue;
      lanes_[i]->fill(records_[i]);
      records_[i].dns_queries = world.queries(records_[i].id + domain);
    }
    lanes_.clear();
    return std::move(records_);
  }

 private:
  std::vector<contestant_record> records_;
  std::vector<std::unique_ptr<lane>> lanes_;  // null: takes no part
};

}  // namespace

run_record run(const scenario& s,
               const std::vector<entrant>& entrants,
               const run_options& options) {
  if (const auto why = why_not_played(s, options.means); !why.empty()) {
    throw std::runtime_error("scenario " + s.name + " " + why);
  }
  bench::end_if_interrupted();
  run_record result;
  result.settings = settings_of(s, options);
  stage world(s, hosts_of(entrants), options.means);
  bench::end_if_interrupted();
  result.settings.names = world.names();
  asio::io_context io(1);  // below the lanes' threads, which post to it

  field clients(s, entrants, options, world);
  if (clients.size() == 0) throw std::runtime_error("no client takes part in " + s.name);
  progress view(clients.watched(), s.backends, s.length);
  director d(io, s, world, view, result);
  const auto start = clock::now() + std::chrono::milliseconds{50};
  world.begin(start);
  d.start(start, clients.size(), s.length + options.deadline + std::chrono::seconds{10});
  clients.start(start, [&](std::exception_ptr failure) {
    asio::post(io, [&d, failure] { d.lane_ended(failure); });
  });
  d.run();

  result.contestants = clients.take_records(world);
  world.fill(result);
  return result;
}

}  // namespace redial::churn
