// SPDX-License-Identifier: Apache-2.0
#include "churn/peers/contestant_httplib.hpp"

#include "churn/outstanding.hpp"

#include <fmt/core.h>
#include <httplib.h>

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace redial::churn {

namespace {

constexpr std::size_t most_workers = 256;

struct job {
  std::uint64_t request = 0;
  time_point deadline;
};

std::string base_url(const service_address& where) {
  return fmt::format("{}://{}:{}", where.tls ? "https" : "http", where.host, where.port);
}

// A client and its connection.
class keep_alive_client {
 public:
  keep_alive_client(const service_address& where, std::string prefix)
      : client_(base_url(where)), prefix_(std::move(prefix)) {
    client_.set_keep_alive(true);
    client_.set_tcp_nodelay(true);
    client_.set_socket_options([this](socket_t) { ++sockets_; });
    if (where.tls) client_.set_ca_cert_path(where.ca_file);
  }
  keep_alive_client(const keep_alive_client&) = delete;
  keep_alive_client& operator=(const keep_alive_client&) = delete;

  /// `opened`: whether that took a new connection.
  reply get(const job& what, bool& opened) {
    const auto left = time_left(what.deadline, clock::now());
    client_.set_connection_timeout(left);
    client_.set_read_timeout(left);
    client_.set_write_timeout(left);
    const auto before = sockets_;
    const auto result = client_.Get(prefix_ + std::to_string(what.request));
    opened = sockets_ != before && result.error() != httplib::Error::Connection;
    auto r = result ? answered(result->status, result->body)
                    : failed(httplib::to_string(result.error()));
    r.attempts = 1;
    return r;
  }

  /// From any thread: breaks off what it does.
  void stop() { client_.stop(); }

 private:
  httplib::Client client_;
  std::string prefix_;
  std::uint64_t sockets_ = 0;
};

class worker_pool {
 public:
  worker_pool(service_address where, std::string prefix, std::shared_ptr<outstanding> asked)
      : where_(std::move(where)), prefix_(std::move(prefix)), asked_(std::move(asked)) {}
  worker_pool(const worker_pool&) = delete;
  worker_pool& operator=(const worker_pool&) = delete;
  ~worker_pool() { end(); }

  void submit(const job& what) {
    const std::lock_guard lock(mutex_);
    if (ending_) return;
    jobs_.push_back(what);
    if (!idle_.empty()) {
      auto* w = idle_.back();
      idle_.pop_back();
      w->called = true;
      w->call.notify_one();
    } else if (workers_.size() < most_workers) {
      auto& w = workers_.emplace_back(std::make_unique<worker>(where_, prefix_));
      w->thread = std::thread([this, me = w.get()] { run(*me); });
    }
  }

  void end() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
      for (auto& w : workers_) {
        w->client.stop();
        w->call.notify_one();
      }
    }
    // Nobody adds any more.
    for (auto& w : workers_) {
      if (w->thread.joinable()) w->thread.join();
    }
  }

  [[nodiscard]] std::uint64_t opened() const noexcept { return opened_; }

 private:
  struct worker {
    worker(const service_address& where, const std::string& prefix) : client(where, prefix) {}

    keep_alive_client client;
    std::condition_variable call;
    bool called = false;
    std::uint64_t request = 0;
    std::optional<reply> answer;  // to that request, not yet given
    std::thread thread;
  };

  void run(worker& me) {
    std::unique_lock lock(mutex_);
    while (!ending_) {
      me.called = !jobs_.empty();
      if (!me.called) idle_.push_back(&me);
      lock.unlock();
      // Only now: whoever asks next because of it shall find this one idle.
      if (me.answer) asked_->answer_from_thread(me.request, *std::exchange(me.answer, {}));
      lock.lock();
      me.call.wait(lock, [&] { return me.called || ending_; });
      if (jobs_.empty()) continue;
      const auto what = jobs_.front();
      jobs_.pop_front();
      lock.unlock();
      serve(me, what);
      lock.lock();
    }
  }

  void serve(worker& me, const job& what) {
    // It was given up while it waited for a worker.
    if (what.deadline <= clock::now()) return;
    bool opened = false;
    me.request = what.request;
    me.answer = me.client.get(what, opened);
    if (opened) ++opened_;
  }

  service_address where_;
  std::string prefix_;
  std::shared_ptr<outstanding> asked_;
  std::atomic<std::uint64_t> opened_{0};
  std::mutex mutex_;
  std::deque<job> jobs_;
  std::vector<std::unique_ptr<worker>> workers_;
  std::vector<worker*> idle_;
  bool ending_ = false;
};

class httplib_contestant final : public contestant {
 public:
  httplib_contestant(const boost::asio::any_io_executor& executor, const service_address& where)
      : asked_(std::make_shared<outstanding>(executor)),
        workers_(where, fmt::format("/{}/", id_), asked_) {}

  const std::string& id() const noexcept override { return id_; }

  void async_get(std::uint64_t request, time_point deadline, handler done) override {
    asked_->add(request, deadline, std::move(done));
    workers_.submit({request, deadline});
  }

  std::uint64_t connections() const override { return workers_.opened(); }

  void close() override {
    workers_.end();
    asked_->close();
  }

 private:
  const std::string id_ = "httplib";
  std::shared_ptr<outstanding> asked_;
  worker_pool workers_;
};

}  // namespace

std::unique_ptr<contestant> make_httplib(const boost::asio::any_io_executor& executor,
                                         const service_address& where) {
  // Its TLS writes to sockets that may be closed.
  std::signal(SIGPIPE, SIG_IGN);
  return std::make_unique<httplib_contestant>(executor, where);
}

}  // namespace redial::churn
