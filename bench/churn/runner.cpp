// SPDX-License-Identifier: Apache-2.0
#include "churn/runner.hpp"

#include "churn/load_generator.hpp"
#include "churn/progress.hpp"
#include "churn/stage.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/core.h>

#include <csignal>
#include <exception>
#include <optional>
#include <thread>
#include <utility>

namespace redial::churn {

namespace {

namespace asio = boost::asio;

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
        signals_(io, SIGINT, SIGTERM),
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
    signals_.async_wait([this](const auto& ec, int) {
      if (!ec) end(std::make_exception_ptr(interrupted()));
    });
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
    s.action(world_);
    view_.event(event.at, event.text);
    run_.events.push_back(std::move(event));
    wait_for_step();
  }

  void wait_for_tick() {
    tick_.expires_after(std::chrono::milliseconds{200});
    tick_.async_wait([this](const auto& ec) {
      if (ec) return;
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
  asio::signal_set signals_;
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

std::string host_of(const entrant& e) { return e.id + ".churn.test"; }

stage_options stage_of(const scenario& s, const std::vector<entrant>& entrants) {
  stage_options o;
  o.backends = s.backends;
  o.first = s.first;
  o.ttl = std::chrono::duration_cast<std::chrono::seconds>(s.ttl);
  for (const auto& e : entrants) o.hosts.push_back(host_of(e));
  return o;
}

run_settings settings_of(const scenario& s, const run_options& o) {
  run_settings r;
  r.scenario = s.name;
  r.length = s.length;
  r.rate = o.rate;
  r.deadline = o.deadline;
  r.in_flight_limit = o.in_flight_limit;
  r.ttl = s.ttl;
  r.ttl_cap = s.ttl_cap;
  r.allowed_stale = s.allowed_stale();
  r.seed = o.seed;
  return r;
}

service_address address_of(const entrant& e,
                           const stage& world,
                           const scenario& s,
                           std::uint64_t seed) {
  service_address where;
  where.host = host_of(e);
  where.port = world.port();
  where.nameserver = world.nameserver();
  where.ttl_cap = s.ttl_cap;
  where.seed = seed;
  return where;
}

load_settings load_of(const scenario& s, const run_options& o) {
  load_settings load;
  load.rate = o.rate;
  load.length = s.length;
  load.deadline = o.deadline;
  load.in_flight_limit = o.in_flight_limit;
  return load;
}

}  // namespace

run_record run(const scenario& s,
               const std::vector<entrant>& entrants,
               const run_options& options) {
  run_record result;
  result.settings = settings_of(s, options);
  stage world(stage_of(s, entrants));
  asio::io_context io(1);  // below the lanes' threads, which post to it

  std::vector<std::unique_ptr<lane>> lanes;
  std::vector<watched_contestant> watched;
  for (const auto& e : entrants) {
    const auto where = address_of(e, world, s, options.seed);
    lanes.push_back(std::make_unique<lane>(e, where, load_of(s, options)));
    watched.push_back({e.title, &lanes.back()->live()});
  }
  progress view(watched, s.backends, s.length);
  director d(io, s, world, view, result);
  const auto start = clock::now() + std::chrono::milliseconds{50};
  world.begin(start);
  d.start(start, lanes.size(), s.length + options.deadline + std::chrono::seconds{10});
  for (auto& l : lanes) {
    l->start(start, [&](std::exception_ptr failure) {
      asio::post(io, [&d, failure] { d.lane_ended(failure); });
    });
  }
  d.run();

  for (std::size_t i = 0; i < entrants.size(); ++i) {
    contestant_record c;
    c.id = entrants[i].id;
    c.title = entrants[i].title;
    lanes[i]->fill(c);
    c.dns_queries = world.queries(host_of(entrants[i]));
    result.contestants.push_back(std::move(c));
  }
  lanes.clear();
  world.fill(result);
  return result;
}

}  // namespace redial::churn
