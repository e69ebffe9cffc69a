// SPDX-License-Identifier: Apache-2.0
// What users write with C++20 coroutines. Ordinary looking code is miscompiled by g++ 12 around
// temporaries of aggregates in a co_await expression (they are destroyed twice); redial's option
// types are no aggregates, so none of these needs care. Run under AddressSanitizer.
#include <redial/client/stream_clients.hpp>
#include <redial/discovery/feed.hpp>
#include <redial/http/http_client.hpp>
#include <redial/net/asio_scheduler.hpp>
#include <redial/net/make_connector.hpp>
#include <redial/pool/pool.hpp>

#include "support/event_wait.hpp"
#include "support/raw_http_server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <exception>
#include <string>

namespace {

namespace asio = boost::asio;
using asio::use_awaitable;
using namespace std::chrono_literals;
using namespace redial;

constexpr auto as_tuple_awaitable = asio::as_tuple(use_awaitable);

// What a service does with a connection.
asio::awaitable<void> ask(tcp_connection& c, std::string question, std::string& answer) {
  co_await asio::async_write(c.stream(), asio::buffer(question), use_awaitable);
  const std::size_t n = co_await asio::async_read_until(
      c.stream(), asio::dynamic_buffer(answer), "ok", use_awaitable);
  answer.resize(n);
}

class Coroutine : public ::testing::Test {
 protected:
  template <class Body>
  void run(Body body) {
    std::exception_ptr failure;
    bool done = false;
    asio::co_spawn(io, body(), [&](std::exception_ptr e) {
      failure = e;
      done = true;
    });
    EXPECT_TRUE(redial::testing::run_until(io, [&] { return done; }));
    if (failure) std::rethrow_exception(failure);
  }
  [[nodiscard]] target where() const { return target("static://" + server.authority()); }

  asio::io_context io;
  redial::testing::raw_http_server server{io};
  const std::string question = "GET / HTTP/1.1\r\n\r\n";
};

TEST_F(Coroutine, CallsAnOperationThatIsACoroutine) {
  run([this]() -> asio::awaitable<void> {
    const auto names = discovery::create(io.get_executor());
    tcp_client client = make_tcp_client(io.get_executor(), names, where());
    std::string answer;
    auto operation = [&](attempt&, tcp_connection& c, operation_handler done) {
      const auto executor = done.get_executor();
      answer.clear();
      asio::co_spawn(executor, ask(c, question, answer), std::move(done));
    };
    const call_history history = co_await client.async_call(operation, {}, use_awaitable);
    EXPECT_TRUE(history.attempts.empty());
    EXPECT_EQ(answer.substr(answer.size() - 2), "ok");

    const call_history again =
        co_await client.async_call(operation, call_options(10s).idempotent(), use_awaitable);
    EXPECT_TRUE(again.attempts.empty());
    EXPECT_EQ(server.accepted(), 1U);
    client.close();
    names->close();
  });
}

TEST_F(Coroutine, AFailedCallThrowsOrReturnsATuple) {
  run([this]() -> asio::awaitable<void> {
    const auto names = discovery::create(io.get_executor());
    tcp_client client = make_tcp_client(io.get_executor(), names, where());
    auto operation = [](attempt&, tcp_connection&, operation_handler done) {
      done(errc::bad_response);
    };
    const auto [ec, history] = co_await client.async_call(operation, 5s, as_tuple_awaitable);
    EXPECT_EQ(ec, errc::bad_response);
    EXPECT_EQ(history.attempts.size(), 1U);
    error_code thrown;
    try {
      co_await client.async_call(operation, {}, use_awaitable);
    } catch (const boost::system::system_error& e) {
      thrown = e.code();
    }
    EXPECT_EQ(thrown, errc::bad_response);
    client.close();
    names->close();
  });
}

TEST_F(Coroutine, ChecksConnectionsOut) {
  run([this]() -> asio::awaitable<void> {
    const auto names = discovery::create(io.get_executor());
    tcp_client client = make_tcp_client(io.get_executor(), names, where());
    {
      lease<tcp_connection> lent = co_await client.async_checkout({}, use_awaitable);
      EXPECT_TRUE(lent);
      std::string answer;
      co_await ask(*lent, question, answer);
      EXPECT_FALSE(answer.empty());
    }
    auto second =
        co_await client.async_checkout(checkout_options(clock::now() + 5s), use_awaitable);
    EXPECT_TRUE(second.is_reused());
    client.close();
    names->close();
  });
}

TEST_F(Coroutine, ChecksConnectionsOutOfAPool) {
  run([this]() -> asio::awaitable<void> {
    const auto names = discovery::create(io.get_executor());
    basic_pool<tcp_connection> pool(
        io.get_executor(), make_feed(names, where()), make_connector(where()));
    auto first = co_await pool.async_checkout({}, use_awaitable);
    EXPECT_EQ(first.where().port, server.port());
    auto second = co_await pool.async_checkout(use_awaitable);
    EXPECT_TRUE(second);
    first.end(lease_end::returned);
    pool.close();
    names->close();
  });
}

TEST_F(Coroutine, GetsOverHttp) {
  run([this]() -> asio::awaitable<void> {
    http_client http(io.get_executor(), where().text());
    const http_response first = co_await http.async_get("/", use_awaitable);
    EXPECT_EQ(first.body, "ok");
    const http_response second = co_await http.async_get("/", {}, use_awaitable);
    EXPECT_EQ(second.status, 200);
    const http_response third = co_await http.async_get("/", 5s, use_awaitable);
    EXPECT_EQ(third.status, 200);
    const http_response fourth = co_await http.async_request({}, {}, use_awaitable);
    EXPECT_EQ(fourth.status, 200);
    const http_response fifth =
        co_await http.async_request(http_request("HEAD", "/"), use_awaitable);
    EXPECT_EQ(fifth.status, 200);
    EXPECT_EQ(server.accepted(), 1U);
    http.close();
    const auto [ec, none] = co_await http.async_get("/", {}, as_tuple_awaitable);
    EXPECT_EQ(ec, errc::closed);
    EXPECT_EQ(none.status, 0);
  });
}

TEST_F(Coroutine, ATimerMayWinOverARequest) {
  using namespace asio::experimental::awaitable_operators;
  server.always(redial::testing::raw_reply("", redial::testing::raw_reply::then::hold));
  run([this]() -> asio::awaitable<void> {
    http_client http(io.get_executor(), where().text());
    asio::steady_timer timer(io, 50ms);
    auto request = http.async_get("/", 20s, use_awaitable);
    auto either = co_await (std::move(request) || timer.async_wait(use_awaitable));
    EXPECT_EQ(either.index(), 1U);
  });
}

}  // namespace
