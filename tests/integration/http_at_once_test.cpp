// SPDX-License-Identifier: Apache-2.0
// Requests that are written inside the call that asks for them: without a strand of the
// connection's own, and asked for where its executor runs.
#include "support/http_world.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <functional>

namespace redial::inline REDIAL_ABI::testing {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using then = raw_reply::then;

class HttpAtOnce : public HttpWorld {
 protected:
  HttpAtOnce() { options.tcp.strand_per_connection = false; }

  /// Runs `what` as a handler of the client's executor.
  void inside(const std::function<void()>& what) {
    bool done = false;
    asio::post(io, [&] {
      what();
      done = true;
    });
    ASSERT_TRUE(run_until(io, [&] { return done; }));
  }
  std::shared_ptr<http_result> start_inside(http_request r, call_options o = 30s) {
    std::shared_ptr<http_result> result;
    int completions = -1;
    inside([&] {
      result = start(std::move(r), o);
      completions = result->completions;
    });
    EXPECT_EQ(completions, 0) << "never inline";
    return result;
  }
};

// A server by hand: what it does happens while the client's context stands still.
class HandMade : public HttpAtOnce {
 protected:
  HandMade() { connect("static://127.0.0.1:" + std::to_string(door.local_endpoint().port())); }
  tcp::socket accepted() {
    tcp::socket peer(io);
    bool done = false;
    door.async_accept(peer, [&done](error_code ec) { done = !ec; });
    EXPECT_TRUE(run_until(io, [&done] { return done; }));
    return peer;
  }
  static void answer(tcp::socket& peer) {
    asio::write(peer, asio::buffer(std::string("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")));
  }
  void until_idle() {
    ASSERT_TRUE(run_until(io, [&] { return client->connection_gauges().idle == 1; }));
  }

  tcp::acceptor door{io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
};

TEST_F(HandMade, TheRequestIsOutWhenTheCallReturns) {
  auto peer = accepted();
  until_idle();
  std::size_t arrived = 0;
  std::shared_ptr<http_result> result;
  inside([&] {
    result = start(http_request("GET", "/"));
    arrived = peer.available();
  });
  EXPECT_GT(arrived, 0U);
  answer(peer);
  EXPECT_FALSE(finish(result).error);
}

// Nothing of it was sent, so that it may go elsewhere whatever it is.
TEST_F(HandMade, APostThatCannotBeWrittenAtAllIsSentAgain) {
  auto peer = accepted();
  until_idle();
  peer.set_option(asio::socket_base::linger(true, 0));
  peer.close();
  auto result = start_inside(http_request("POST", "/"));
  auto second = accepted();
  answer(second);
  const http_result r = finish(result);
  EXPECT_FALSE(r.error) << r.error.message();
  ASSERT_EQ(r.response.history.attempts.size(), 1U);
  EXPECT_FALSE(r.response.history.attempts[0].sent);
  EXPECT_FALSE(r.response.history.attempts[0].reused);
}

TEST_F(HandMade, AReusedConnectionThatHasEndedIsNoticedBeforeTheWrite) {
  auto peer = accepted();
  until_idle();
  auto first = start_inside(http_request("GET", "/"));
  answer(peer);
  EXPECT_FALSE(finish(first).error);
  peer.shutdown(tcp::socket::shutdown_send);
  auto result = start_inside(http_request("POST", "/"));
  auto second = accepted();
  answer(second);
  EXPECT_FALSE(finish(result).error);
  EXPECT_FALSE(result->response.history.attempts.at(0).sent);
}

TEST_F(HttpAtOnce, WhatTheSocketDoesNotTakeAtOnceFollows) {
  std::string body(20'000'000, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i / 7 % 26);
  for (int i = 0; i < 3; ++i) {
    http_request r("PUT", "/");
    r.body = body;
    connect();
    EXPECT_FALSE(get().error);
    EXPECT_FALSE(finish(start_inside(std::move(r))).error);
    const std::string& got = server.requests().back();
    const auto head = got.find("\r\n\r\n");
    ASSERT_NE(head, std::string::npos);
    EXPECT_TRUE(got.substr(head + 4) == body);
    EXPECT_FALSE(get().error);
  }
}

TEST_F(HttpAtOnce, ManyAfterAnotherUseOneConnection) {
  EXPECT_FALSE(get().error);
  for (int i = 0; i < 50; ++i) {
    const http_result r = finish(start_inside(http_request("GET", "/")));
    EXPECT_FALSE(r.error);
    EXPECT_EQ(r.response.body, "ok");
  }
  EXPECT_EQ(server.accepted(), 1U);
  EXPECT_EQ(server.requests().size(), 51U);
}

TEST_F(HttpAtOnce, ARequestOnADeadConnectionIsSentAgain) {
  EXPECT_FALSE(get().error);
  for (const then how : {then::close, then::reset}) {
    server.next(raw_reply("", how));
    const http_result r = finish(start_inside(http_request("GET", "/")));
    EXPECT_FALSE(r.error) << r.error.message();
    ASSERT_EQ(r.response.history.attempts.size(), 1U);
    EXPECT_EQ(r.response.history.attempts[0].error, errc::peer_closed);
    EXPECT_TRUE(r.response.history.attempts[0].sent);
  }
}

TEST_F(HttpAtOnce, Fault126_CancelledAsSoonAsItIsWritten) {
  EXPECT_FALSE(get().error);
  asio::cancellation_signal signal;
  int completions = 0;
  error_code error;
  inside([&] {
    client->async_get("/", asio::bind_cancellation_slot(signal.slot(), [&](error_code ec, auto) {
                        ++completions;
                        error = ec;
                      }));
    signal.emit(asio::cancellation_type::terminal);
    EXPECT_EQ(completions, 0);
  });
  ASSERT_TRUE(run_until(io, [&] { return completions > 0 && server.open() == 0; }));
  EXPECT_EQ(error, asio::error::operation_aborted);
  EXPECT_EQ(completions, 1);
}

// Destroys the client after every number of handlers that a request on an open connection takes.
TEST_F(HttpAtOnce, Fault124_DestroyingTheClientAtAnyMoment) {
  bool finished = false;
  for (int steps = 0; steps < 100 && !finished; ++steps) {
    connect();
    EXPECT_FALSE(get().error);
    std::shared_ptr<http_result> result;
    inside([&] {
      result = start(http_request("GET", "/"));
      if (steps == 0) client.reset();
    });
    for (int i = 1; i < steps && result->completions == 0; ++i) (void)io.run_one_for(30s);
    finished = result->completions > 0;
    client.reset();
    const http_result r = finish(result);
    EXPECT_TRUE(!r.error || r.error == errc::closed) << r.error.message();
  }
  EXPECT_TRUE(finished);
  EXPECT_TRUE(run_until(io, [&] { return server.open() == 0; }));
}

TEST_F(HttpAtOnce, Fault127_AContextThatGoesFirst) {
  for (int steps = 0; steps < 40; ++steps) {
    auto inner = std::make_unique<asio::io_context>();
    const auto token = std::make_shared<int>();
    auto peer = std::make_unique<raw_http_server>(*inner);
    http_client c(inner->get_executor(), "static://" + peer->authority(), options);
    bool warm = false;
    c.async_get("/", [&warm](error_code ec, const http_response&) { warm = !ec; });
    ASSERT_TRUE(run_until(*inner, [&] { return warm; }));
    peer->always(raw_reply("HTTP/1.1 200 OK\r\n", then::hold));
    asio::post(*inner, [&c, token] {
      c.async_get("/", [token](error_code, const http_response&) { ADD_FAILURE() << "called"; });
    });
    for (int i = 0; i < steps; ++i) (void)inner->poll_one();
    peer.reset();
    inner.reset();
    EXPECT_EQ(token.use_count(), 1) << steps;
  }
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
