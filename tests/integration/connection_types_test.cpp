// SPDX-License-Identifier: Apache-2.0
// Types that redial knows nothing of, and streams that are used raw. hiredis and libpq are in
// foreign_connections_test.cpp; docs/connection_types.md is the contract.
#include <redial/client/stream_clients.hpp>
#include <redial/testing/certificates.hpp>

#include "support/event_wait.hpp"
#include "support/line_peer.hpp"
#include "support/opened.hpp"
#include "support/raw_http_server.hpp"
#include "support/tls_server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// A connection without a socket. Its operations end when the test says so, whoever cancels.
struct stubborn {
  struct wire {
    std::set<const wire*>* living;
    int closed = 0;
    std::uint32_t address = 0;
    explicit wire(std::set<const wire*>& all) : living(&all) { all.insert(this); }
    wire(const wire&) = delete;
    ~wire() { living->erase(this); }
  };

  void close() noexcept { ++to->closed; }
  [[nodiscard]] bool is_healthy() const noexcept { return to->closed == 0; }

  std::shared_ptr<wire> to;
};

class stubborn_connector final : public connector {
 public:
  explicit stubborn_connector(std::set<const stubborn::wire*>& living) : living_(living) {}
  std::shared_ptr<connect_operation> open(const connect_request& r, handler done) override {
    asio::post(r.executor, [&living = living_, r, done = std::move(done)] {
      done({}, pooled(stubborn{std::make_shared<stubborn::wire>(living)}, r.executor));
    });
    return nullptr;
  }

 private:
  std::set<const stubborn::wire*>& living_;
};

/// How a call ended.
struct outcome {
  int completions = 0;
  error_code error;
  call_history history;

  [[nodiscard]] auto handler() {
    return [this](error_code ec, call_history h) {
      ++completions;
      error = ec;
      history = std::move(h);
    };
  }
};

class StubbornType : public ::testing::Test {
 protected:
  StubbornType() {
    options.retry.delay = 1ms;
    names = discovery::create(io.get_executor());
    client.emplace(io.get_executor(),
                   names,
                   target("static://127.0.0.1:1,127.0.0.2:1"),
                   std::make_shared<stubborn_connector>(living),
                   options);
    // So that an operation begins well before its deadline.
    EXPECT_TRUE(run([&] { return client->connection_gauges().endpoints_active == 2; }));
  }
  ~StubbornType() override {
    client.reset();
    names->close();
    pending.clear();
    (void)run_until(
        io, [] { return false; }, 1s);
    EXPECT_TRUE(living.empty()) << "connections leaked";
  }

  /// What runs on each attempt: the test gets the handler and the connection's far end.
  auto operation() {
    return [this, alive = alive](attempt&, stubborn& s, operation_handler done) {
      wires.push_back(s.to);
      pending.push_back(std::make_unique<operation_handler>(std::move(done)));
    };
  }
  bool run(const std::function<bool()>& happened) { return run_until(io, happened); }

  asio::io_context io;
  client_options options;
  std::set<const stubborn::wire*> living;
  std::shared_ptr<discovery> names;
  std::optional<basic_client<stubborn>> client;
  std::vector<std::unique_ptr<operation_handler>> pending;
  std::vector<std::weak_ptr<stubborn::wire>> wires;
  std::shared_ptr<int> alive = std::make_shared<int>();
};

TEST_F(StubbornType, TheCallEndsAtItsDeadlineAndItsLateWordIsSwallowed) {
  outcome o;
  client->async_call(operation(), call_options(500ms), o.handler());
  ASSERT_TRUE(run([&] { return o.completions > 0; }));
  EXPECT_EQ(o.error, errc::deadline_exceeded);
  ASSERT_EQ(pending.size(), 1U);
  const auto wire = wires[0].lock();
  ASSERT_NE(wire, nullptr) << "kept for the operation, which may still refer to it";
  EXPECT_EQ(wire->closed, 1);
  EXPECT_EQ(client->connection_gauges().leased, 0U);
  EXPECT_EQ(alive.use_count(), 2) << "and so is the operation";

  (*pending[0])(error_code());
  (void)io.poll();
  EXPECT_EQ(o.completions, 1);
  EXPECT_EQ(alive.use_count(), 1);
  EXPECT_EQ(wire.use_count(), 1) << "nobody but this test";
}

TEST_F(StubbornType, AConnectionThatTimedOutIsNeverLentAgain) {
  outcome first;
  client->async_call(operation(), call_options(500ms), first.handler());
  ASSERT_TRUE(run([&] { return first.completions > 0; }));
  for (int i = 0; i < 10; ++i) {
    outcome next;
    client->async_call(operation(), call_options(30s), next.handler());
    ASSERT_TRUE(run([&] { return pending.size() == static_cast<std::size_t>(i) + 2; }));
    EXPECT_NE(wires.back().lock(), wires.front().lock());
    (*pending.back())(error_code());
    ASSERT_TRUE(run([&] { return next.completions > 0; }));
    EXPECT_EQ(next.error, error_code());
  }
  (*pending.front())(error_code());
  (void)io.poll();
  EXPECT_EQ(first.completions, 1);
}

TEST_F(StubbornType, ALateHandlerMayBeDestroyedInsteadOfCalled) {
  outcome o;
  client->async_call(operation(), call_options(500ms), o.handler());
  ASSERT_TRUE(run([&] { return o.completions > 0; }));
  pending.clear();
  (void)io.poll();
  EXPECT_EQ(o.completions, 1);
  EXPECT_EQ(alive.use_count(), 1);
  EXPECT_TRUE(wires[0].expired());
}

TEST_F(StubbornType, AnAttemptThatIsGivenUpDoesNotDisturbTheNext) {
  outcome o;
  client->async_call(operation(), call_options(2s).idempotent(), o.handler());
  ASSERT_TRUE(run([&] { return pending.size() == 2; })) << "half of the time each";
  (*pending[0])(error_code());
  (void)io.poll();
  EXPECT_EQ(o.completions, 0) << "the first attempt is over";
  (*pending[1])(error_code());
  ASSERT_TRUE(run([&] { return o.completions > 0; }));
  EXPECT_EQ(o.error, error_code());
  ASSERT_EQ(o.history.attempts.size(), 1U);
  EXPECT_EQ(o.history.attempts[0].error, errc::attempt_timeout);
}

TEST_F(StubbornType, TheClientMayBeGoneWhenTheOperationEnds) {
  outcome o;
  client->async_call(operation(), call_options(30s), o.handler());
  ASSERT_TRUE(run([&] { return pending.size() == 1; }));
  client.reset();
  ASSERT_TRUE(run([&] { return o.completions > 0; }));
  EXPECT_EQ(o.error, errc::closed);
  EXPECT_EQ(wires[0].lock()->closed, 1);
  (*pending[0])(error_code());
  (void)io.poll();
  EXPECT_EQ(o.completions, 1);
  EXPECT_TRUE(wires[0].expired());
}

TEST_F(StubbornType, WhatWasNotSentRunsElsewhereAndWhatMayHaveBeenDoesNot) {
  for (const bool unsent : {true, false}) {
    outcome o;
    const auto before = pending.size();
    client->async_call(operation(), call_options(30s), o.handler());
    ASSERT_TRUE(run([&] { return pending.size() == before + 1; }));
    (*pending.back())(unsent ? error_code(errc::not_sent) : asio::error::connection_reset);
    if (unsent) {
      ASSERT_TRUE(run([&] { return pending.size() == before + 2; }));
      (*pending.back())(error_code());
    }
    ASSERT_TRUE(run([&] { return o.completions > 0; }));
    EXPECT_EQ(o.error.failed(), !unsent) << o.history.text();
  }
}

class RawStreams : public ::testing::Test {
 protected:
  RawStreams() : names(discovery::create(io.get_executor())) {}
  ~RawStreams() override { names->close(); }

  static std::string at(const char* scheme, std::uint16_t port) {
    return std::string(scheme) + "://localhost:" + std::to_string(port);
  }
  template <class Client, class Operation>
  outcome call(Client& client, Operation operation) {
    outcome o;
    client.async_call(std::move(operation), call_options(30s).idempotent(), o.handler());
    EXPECT_TRUE(run_until(io, [&] { return o.completions > 0; }));
    return o;
  }

  asio::io_context io;
  std::shared_ptr<discovery> names;
};

TEST_F(RawStreams, ATlsStreamCarriesAProtocolOfOnesOwn) {
  certificate_authority authority;
  tls_server server(io, authority.issue_for({"localhost"}));
  tls_options tls;
  tls.ca_file = authority.ca_file();
  auto client =
      make_tls_client(io.get_executor(), names, target(at("tls", server.port())), {}, {}, tls);
  const auto in = std::make_shared<std::string>();
  for (int i = 0; i < 3; ++i) {
    in->clear();
    const auto o = call(client, [&, in](attempt&, tls_connection& c, operation_handler done) {
      asio::async_write(
          c.stream(),
          asio::buffer("hi\n", 3),
          [&, in, s = &c.stream(), done = std::move(done)](error_code ec, auto) mutable {
            if (ec) return done(ec);
            asio::async_write(server.last().tls, asio::buffer("hello\n", 6), [](auto, auto) {});
            asio::async_read_until(*s, asio::dynamic_buffer(*in), '\n', std::move(done));
          });
    });
    EXPECT_EQ(o.error, error_code()) << o.history.text();
    EXPECT_EQ(*in, "hello\n");
  }
  EXPECT_EQ(client.connection_counters().opened, 1U) << "one stream for all";
  client.close();
  server.close();
}

/// One request on a pooled stream, with Beast as it is.
struct beast_get {
  void operator()(attempt& a, tcp_connection& c, operation_handler done) const {
    namespace http = boost::beast::http;
    const auto x = std::make_shared<exchange>();
    x->request = {http::verb::get, "/", 11};
    x->request.set(http::field::host, "localhost");
    auto& stream = c.stream();
    http::async_write(stream,
                      x->request,
                      [=, &a, &stream, got = got, done = std::move(done)](auto ec, auto) mutable {
                        if (ec) return done(ec);
                        http::async_read(
                            stream,
                            x->buffer,
                            x->parser,
                            [=, &a, done = std::move(done)](error_code read_error, auto) mutable {
                              if (!read_error && !x->parser.keep_alive()) a.spent();
                              *got = x->parser.get().body();
                              done(read_error);
                            });
                      });
  }

  struct exchange {
    boost::beast::http::request<boost::beast::http::empty_body> request;
    boost::beast::http::response_parser<boost::beast::http::string_body> parser;
    boost::beast::flat_buffer buffer;
  };
  std::shared_ptr<std::string> got = std::make_shared<std::string>();
};

TEST_F(RawStreams, WhatWentPastTheCountIsNotSentAgainUnlessItMayBe) {
  raw_http_server server(io);
  auto client = make_tcp_client(io.get_executor(), names, target(at("http", server.port())));
  int runs = 0;
  const auto operation = [&](attempt&, tcp_connection& c, operation_handler done) {
    ++runs;
    asio::write(c.stream().uncounted(), asio::buffer("x", 1));
    asio::post(c.get_executor(), [d = std::make_shared<operation_handler>(std::move(done))] {
      (*d)(error_code(errc::peer_closed));
    });
  };
  outcome o;
  client.async_call(operation, call_options(30s), o.handler());
  EXPECT_TRUE(run_until(io, [&] { return o.completions > 0; }));
  EXPECT_EQ(o.error, errc::peer_closed);
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(call(client, operation).error, errc::peer_closed);
  EXPECT_GT(runs, 2) << "idempotent: tried again";
  client.close();
  server.close();
}

TEST_F(RawStreams, AnHttpConnectionIsKeptUntilItsPeerEndsIt) {
  raw_http_server server(io);
  auto client = make_tcp_client(io.get_executor(), names, target(at("http", server.port())));
  const beast_get get;
  EXPECT_EQ(call(client, get).error, error_code());
  EXPECT_EQ(*get.got, "ok");
  EXPECT_EQ(call(client, get).error, error_code());
  EXPECT_EQ(server.accepted(), 1U);
  server.next("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbye");
  EXPECT_EQ(call(client, get).error, error_code());
  EXPECT_EQ(*get.got, "bye");
  EXPECT_EQ(call(client, get).error, error_code());
  EXPECT_EQ(server.accepted(), 2U);
  client.close();
  server.close();
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
