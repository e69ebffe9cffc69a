// SPDX-License-Identifier: Apache-2.0
#include "churn/contestant_beast.hpp"

#include "churn/lookup.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/version.hpp>
#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <random>
#include <unordered_set>
#include <utility>
#include <vector>

namespace redial::churn {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

struct connection {
  explicit connection(const asio::any_io_executor& executor) : stream(executor) {}

  beast::tcp_stream stream;
  beast::flat_buffer buffer;
};
using connection_ptr = std::unique_ptr<connection>;

class exchange;

// What all requests share.
struct keep_alive_pool {
  keep_alive_pool(asio::any_io_executor e, service_address w)
      : executor(std::move(e)), where(std::move(w)), random(where.seed) {}

  asio::any_io_executor executor;
  service_address where;
  std::mt19937_64 random;
  std::vector<connection_ptr> idle;
  std::unordered_set<exchange*> active;
  std::uint64_t opened = 0;
  bool closed = false;
};

// One request.
class exchange : public std::enable_shared_from_this<exchange> {
 public:
  exchange(std::shared_ptr<keep_alive_pool> pool, time_point deadline, contestant::handler done)
      : pool_(std::move(pool)),
        deadline_(deadline),
        done_(std::move(done)),
        timer_(pool_->executor) {
    pool_->active.insert(this);
  }
  ~exchange() { pool_->active.erase(this); }

  void start(std::string path) {
    request_ = {http::verb::get, std::move(path), 11};
    request_.set(http::field::host, fmt::format("{}:{}", pool_->where.host, pool_->where.port));
    request_.set(http::field::user_agent, BOOST_BEAST_VERSION_STRING);
    if (pool_->idle.empty()) {
      resolve();
      return;
    }
    connection_ = std::move(pool_->idle.back());
    pool_->idle.pop_back();
    write();
  }

  void cancel() {
    timer_.cancel();
    lookup_.reset();
    if (connection_) connection_->stream.close();
  }

 private:
  void resolve() {
    timer_.expires_at(deadline_);
    timer_.async_wait([self = shared_from_this()](const auto& ec) {
      if (ec || !self->lookup_) return;
      self->lookup_.reset();
      self->fail("resolve: no answer before the deadline");
    });
    lookup_.emplace(pool_->executor,
                    pool_->where.nameserver,
                    pool_->where.host,
                    [weak = weak_from_this()](error_code ec, std::vector<address> found) {
                      if (const auto self = weak.lock()) self->resolved(ec, std::move(found));
                    });
  }

  void resolved(error_code ec, std::vector<address> found) {
    timer_.cancel();
    lookup_.reset();
    if (ec) return fail("resolve: " + ec.message());
    std::shuffle(found.begin(), found.end(), pool_->random);
    std::vector<tcp::endpoint> endpoints;
    for (const auto& a : found) endpoints.emplace_back(a, pool_->where.port);
    connection_ = std::make_unique<connection>(pool_->executor);
    connection_->stream.expires_at(deadline_);
    connection_->stream.async_connect(
        endpoints, [self = shared_from_this()](error_code failed, const tcp::endpoint&) {
          if (failed) return self->fail("connect: " + failed.message());
          ++self->pool_->opened;
          boost::system::error_code ignored;
          (void)self->connection_->stream.socket().set_option(tcp::no_delay(true), ignored);
          self->write();
        });
  }

  void write() {
    connection_->stream.expires_at(deadline_);
    http::async_write(
        connection_->stream, request_, [self = shared_from_this()](error_code ec, std::size_t) {
          if (ec) return self->fail("write: " + ec.message());
          self->read();
        });
  }

  void read() {
    http::async_read(connection_->stream,
                     connection_->buffer,
                     response_,
                     [self = shared_from_this()](error_code ec, std::size_t) {
                       if (ec) return self->fail("read: " + ec.message());
                       self->succeed();
                     });
  }

  void succeed() {
    if (response_.keep_alive() && !pool_->closed) {
      connection_->stream.expires_never();
      pool_->idle.push_back(std::move(connection_));
    }
    reply r;
    r.attempts = 1;
    r.ok = response_.result() == http::status::ok;
    if (r.ok) {
      r.backend = response_.body();
    } else {
      r.error = fmt::format("status {}", response_.result_int());
    }
    done_(std::move(r));
  }

  void fail(std::string why) {
    connection_.reset();
    reply r;
    r.attempts = 1;
    r.error = std::move(why);
    done_(std::move(r));
  }

  std::shared_ptr<keep_alive_pool> pool_;
  time_point deadline_;
  contestant::handler done_;
  asio::steady_timer timer_;
  std::optional<lookup> lookup_;
  connection_ptr connection_;
  http::request<http::empty_body> request_;
  http::response<http::string_body> response_;
};

class beast_contestant final : public contestant {
 public:
  beast_contestant(const asio::any_io_executor& executor, const service_address& where)
      : pool_(std::make_shared<keep_alive_pool>(executor, where)) {}

  const std::string& id() const noexcept override { return id_; }

  void async_get(std::uint64_t request, time_point deadline, handler done) override {
    std::make_shared<exchange>(pool_, deadline, std::move(done))
        ->start(fmt::format("/{}/{}", id_, request));
  }

  std::uint64_t connections() const override { return pool_->opened; }

  void close() override {
    pool_->closed = true;
    pool_->idle.clear();
    const auto active = pool_->active;  // cancelling may end some of them
    for (auto* e : active) e->cancel();
  }

 private:
  const std::string id_ = "plain";
  std::shared_ptr<keep_alive_pool> pool_;
};

}  // namespace

std::unique_ptr<contestant> make_beast(const asio::any_io_executor& executor,
                                       const service_address& where) {
  return std::make_unique<beast_contestant>(executor, where);
}

}  // namespace redial::churn
