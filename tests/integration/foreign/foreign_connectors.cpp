// SPDX-License-Identifier: Apache-2.0
#include "foreign/foreign_connectors.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>

namespace redial::inline REDIAL_ABI::testing {

namespace {

namespace asio = boost::asio;

// An idle connection of a protocol in which the server speaks only when asked is healthy when there
// is nothing to read.
bool nothing_to_read(int fd) noexcept {
  char byte = 0;
  return ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
         (errno == EAGAIN || errno == EWOULDBLOCK);
}

error_code system_error(int number) { return {number, boost::system::system_category()}; }

/// A connect in steps: wait for a descriptor that the library owns, let the library take a step.
/// Everything runs on `strand_`.
class stepwise_connect : public connect_operation,
                         public std::enable_shared_from_this<stepwise_connect> {
 public:
  stepwise_connect(const connect_request& request, connector::handler done)
      : executor_(request.executor),
        strand_(asio::make_strand(request.executor)),
        descriptor_(strand_),
        done_(std::move(done)) {}

  void cancel() noexcept override {
    asio::post(strand_, [self = shared_from_this()] {
      self->finish(asio::error::operation_aborted, nullptr);
    });
  }

  void start() {
    asio::post(strand_, [self = shared_from_this()] { self->step(); });
  }

 protected:
  ~stepwise_connect() override {
    if (descriptor_.is_open()) descriptor_.release();
  }

  virtual void step() = 0;

  void wait(int fd, asio::posix::stream_descriptor::wait_type what) {
    if (!done_) return;
    if (!descriptor_.is_open() || descriptor_.native_handle() != fd) {
      if (descriptor_.is_open()) descriptor_.release();
      descriptor_.assign(fd);
    }
    descriptor_.async_wait(what, [self = shared_from_this()](error_code) {
      if (self->done_) self->step();
    });
  }

  void finish(error_code ec, std::unique_ptr<pooled_connection> c) {
    if (!done_) return;
    if (descriptor_.is_open()) descriptor_.release();
    abandon();
    std::exchange(done_, nullptr)(ec, std::move(c));
  }

  /// Frees what is half open.
  virtual void abandon() = 0;

  [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return executor_; }

 private:
  asio::any_io_executor executor_;
  asio::strand<asio::any_io_executor> strand_;
  asio::posix::stream_descriptor descriptor_;
  connector::handler done_;
};

class redis_connect final : public stepwise_connect {
 public:
  redis_connect(const connect_request& request, connector::handler done)
      : stepwise_connect(request, std::move(done)),
        context_(
            ::redisConnectNonBlock(request.where.addr.to_string().c_str(), request.where.port)) {}
  ~redis_connect() override { abandon(); }

 private:
  void step() override {
    if (context_ == nullptr) return finish(system_error(ENOMEM), nullptr);
    if (context_->err != 0) return finish(system_error(errno != 0 ? errno : ECONNREFUSED), nullptr);
    if (!waited_) {
      waited_ = true;
      return wait(context_->fd, asio::posix::stream_descriptor::wait_write);
    }
    int failure = 0;
    socklen_t size = sizeof failure;
    ::getsockopt(context_->fd, SOL_SOCKET, SO_ERROR, &failure, &size);
    if (failure != 0) return finish(system_error(failure), nullptr);
    // hiredis' plain API wants a blocking descriptor.
    ::fcntl(context_->fd, F_SETFL, ::fcntl(context_->fd, F_GETFL) & ~O_NONBLOCK);
    context_->flags |= REDIS_BLOCK;
    finish({}, pooled(redis_connection(std::exchange(context_, nullptr)), executor()));
  }

  void abandon() override {
    if (context_ != nullptr) ::redisFree(std::exchange(context_, nullptr));
  }

  redisContext* context_;
  bool waited_ = false;
};

class postgres_connect final : public stepwise_connect {
 public:
  postgres_connect(const connect_request& request, connector::handler done)
      : stepwise_connect(request, std::move(done)) {
    // `hostaddr` is where to connect; `host` would be the name to verify with TLS.
    const std::string text = "hostaddr=" + request.where.addr.to_string() +
                             " port=" + std::to_string(request.where.port) +
                             " user=postgres dbname=postgres sslmode=disable";
    session_ = ::PQconnectStart(text.c_str());
  }
  ~postgres_connect() override { abandon(); }

 private:
  void step() override {
    if (session_ == nullptr || ::PQstatus(session_) == CONNECTION_BAD) {
      return finish(system_error(ECONNREFUSED), nullptr);
    }
    // libpq: behave as if the last poll had said "writing" before the first one.
    const auto next = started_ ? ::PQconnectPoll(session_) : PGRES_POLLING_WRITING;
    started_ = true;
    switch (next) {
      case PGRES_POLLING_READING:
        return wait(::PQsocket(session_), asio::posix::stream_descriptor::wait_read);
      case PGRES_POLLING_WRITING:
        return wait(::PQsocket(session_), asio::posix::stream_descriptor::wait_write);
      case PGRES_POLLING_OK:
        return finish({},
                      pooled(postgres_connection(std::exchange(session_, nullptr)), executor()));
      case PGRES_POLLING_FAILED:
      case PGRES_POLLING_ACTIVE:
        break;
    }
    finish(system_error(ECONNREFUSED), nullptr);
  }

  void abandon() override {
    if (session_ != nullptr) ::PQfinish(std::exchange(session_, nullptr));
  }

  PGconn* session_ = nullptr;
  bool started_ = false;
};

}  // namespace

bool redis_connection::is_healthy() noexcept { return !failed() && nothing_to_read(context_->fd); }

std::string redis_connection::command(const char* text) {
  if (failed()) return {};
  auto* reply = static_cast<redisReply*>(::redisCommand(context_.get(), text));
  if (reply == nullptr) return {};
  std::string value = reply->str != nullptr
                          ? std::string(reply->str, static_cast<std::size_t>(reply->len))
                          : std::to_string(reply->integer);
  ::freeReplyObject(reply);
  return value;
}

std::shared_ptr<connect_operation> redis_connector::open(const connect_request& request,
                                                         handler done) {
  auto op = std::make_shared<redis_connect>(request, std::move(done));
  op->start();
  return op;
}

bool postgres_connection::is_healthy() noexcept {
  return session_ && ::PQstatus(session_.get()) == CONNECTION_OK &&
         nothing_to_read(::PQsocket(session_.get()));
}

std::string postgres_connection::query(const char* sql) {
  if (!session_) return {};
  PGresult* result = ::PQexec(session_.get(), sql);
  std::string value;
  if (::PQresultStatus(result) == PGRES_TUPLES_OK && ::PQntuples(result) > 0) {
    value = ::PQgetvalue(result, 0, 0);
  }
  ::PQclear(result);
  return value;
}

std::shared_ptr<connect_operation> postgres_connector::open(const connect_request& request,
                                                            handler done) {
  auto op = std::make_shared<postgres_connect>(request, std::move(done));
  op->start();
  return op;
}

}  // namespace redial::inline REDIAL_ABI::testing
