// SPDX-License-Identifier: Apache-2.0
// Connections of somebody else's library in redial's pool. docs/connection_types.md quotes this.

#include <redial/redial.hpp>

#include "support/line_session.hpp"
#include "support/tiny_server.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <iostream>
#include <memory>
#include <string>
#include <utility>

namespace {

/// What is pooled: anything that can be moved and has these two functions.
struct session {
  void close() noexcept { line->shutdown(); }
  [[nodiscard]] bool is_healthy() noexcept { return line->is_connected() && !line->has_unread(); }

  std::shared_ptr<example::line_session> line;
};

/// One session being opened.
class session_opening : public redial::connect_operation,
                        public std::enable_shared_from_this<session_opening> {
 public:
  session_opening(boost::asio::io_context& io,
                  redial::connect_request request,
                  redial::connector::handler done)
      : line_(std::make_shared<example::line_session>(io)),
        request_(std::move(request)),
        done_(std::move(done)) {}

  void start() {
    // The address, never the name: the pool has chosen where.
    line_->connect(request_.where.addr.to_string(),
                   request_.where.port,
                   [self = shared_from_this()](int error) { self->on_connected(error); });
  }

  /// At the deadline, or when nobody wants it any more. From any thread.
  void cancel() noexcept override {
    boost::asio::post(request_.executor, [self = shared_from_this()] {
      self->finish(boost::asio::error::operation_aborted);
    });
  }

 private:
  void on_connected(int error) {
    // The system's own code: then redial knows a local fault from a dead peer.
    if (error != 0) return finish({error, boost::system::system_category()});
    if (!done_) return;
    // The health check: nobody gets this session before it has answered.
    line_->ask("ready?", [self = shared_from_this()](const std::string& answer) {
      self->finish(answer == "ready?" ? redial::error_code() : redial::errc::identity_mismatch);
    });
  }

  void finish(redial::error_code ec) {
    if (!done_) return;  // exactly once
    const auto done = std::exchange(done_, nullptr);
    if (ec) {
      line_->shutdown();
      return done(ec, nullptr);
    }
    done({}, redial::pooled(session{line_}, request_.executor));
  }

  std::shared_ptr<example::line_session> line_;
  redial::connect_request request_;
  redial::connector::handler done_;
};

class session_connector : public redial::connector {
 public:
  explicit session_connector(boost::asio::io_context& io) : io_(io) {}

  std::shared_ptr<redial::connect_operation> open(const redial::connect_request& request,
                                                  handler done) override {
    auto opening = std::make_shared<session_opening>(io_, request, std::move(done));
    opening->start();
    return opening;
  }

 private:
  boost::asio::io_context& io_;
};

/// One call. It owns what it reads into: the library may still be at it when the call is over.
struct question {
  void operator()(redial::attempt&, session& s, redial::operation_handler done) const {
    if (!s.line->is_connected()) return done(redial::errc::not_sent);
    // The library wants its callbacks copyable.
    auto once = std::make_shared<redial::operation_handler>(std::move(done));
    s.line->ask(text, [once, answer = answer](std::string line) {
      *answer = std::move(line);
      (*once)(answer->empty() ? redial::errc::peer_closed : redial::error_code());
    });
  }

  std::string text;
  std::shared_ptr<std::string> answer = std::make_shared<std::string>();
};

}  // namespace

int main() {
  using namespace std::chrono_literals;
  example::tiny_server server("127.0.0.1");
  boost::asio::io_context io;
  auto names = redial::discovery::create(io.get_executor());
  bool failed = true;

  redial::basic_client<session> client(
      io.get_executor(),
      names,
      redial::target("tcp://localhost:" + std::to_string(server.port())),
      std::make_shared<session_connector>(io));

  question hello;
  hello.text = "hello";
  client.async_call(
      hello,
      redial::call_options(2s).idempotent(),
      [&](redial::error_code ec, const redial::call_history& history) {
        failed = ec.failed() || *hello.answer != "hello";
        std::cout << (ec ? ec.message() + "\n" + history.text() : *hello.answer + "\n");
        client.close();
        names->close();
      });
  io.run();
  return failed ? 1 : 0;
}
