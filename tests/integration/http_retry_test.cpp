// SPDX-License-Identifier: Apache-2.0
// Which requests are tried again, how they end, and what is left of them.
#include "support/http_world.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>

#include <algorithm>
#include <initializer_list>

namespace redial::inline REDIAL_ABI::testing {
namespace {

namespace asio = boost::asio;

class HttpRetry : public HttpWorld {
 protected:
  void expect_one_of(const http_result& r, std::initializer_list<error_code> expected) {
    const bool found = std::find(expected.begin(), expected.end(), r.error) != expected.end();
    EXPECT_TRUE(found) << r.error.message();
  }
};

using then = raw_reply::then;

TEST_F(HttpRetry, Fault104_AGetOnADeadConnectionIsSentAgain) {
  EXPECT_FALSE(get().error);
  for (const then how : {then::close, then::reset}) {
    server.next(raw_reply("", how));
    const http_result r = get();
    EXPECT_FALSE(r.error) << r.error.message();
    ASSERT_EQ(r.response.history.attempts.size(), 1U);
    EXPECT_EQ(r.response.history.attempts[0].error, errc::peer_closed);
    EXPECT_TRUE(r.response.history.attempts[0].reused);
    EXPECT_TRUE(r.response.history.attempts[0].sent);
  }
  EXPECT_EQ(server.requests().size(), 5U);
}

TEST_F(HttpRetry, Fault104_APostIsNotSentAgainOnceBytesWereSent) {
  EXPECT_FALSE(post("1").error);
  server.next(raw_reply("", then::close));
  const http_result r = post("2");
  EXPECT_EQ(r.error, errc::peer_closed);
  EXPECT_EQ(server.requests().size(), 2U);
  EXPECT_FALSE(post("3").error);
}

TEST_F(HttpRetry, APostThatIsPromisedToBeIdempotentIsSentAgain) {
  server.next(raw_reply("", then::close));
  http_request r("POST", "/");
  r.idempotent = true;
  EXPECT_FALSE(send(std::move(r)).error);
  EXPECT_EQ(server.requests().size(), 2U);
}

TEST_F(HttpRetry, ARequestThatSaysItIsNotIdempotentIsNotSentAgainWhateverItsCallSays) {
  server.next(raw_reply("", then::close));
  http_request r("POST", "/");
  r.idempotent = false;
  EXPECT_EQ(send(std::move(r), call_options().idempotent()).error, errc::peer_closed);
  server.next(raw_reply("", then::close));
  EXPECT_EQ(send(http_request("GET", "/"), call_options().idempotent(false)).error,
            errc::peer_closed);
  EXPECT_EQ(server.requests().size(), 2U);
}

TEST_F(HttpRetry, UnavailableIsTriedElsewhere) {
  connect_both();
  for (const int status : {502, 503, 504}) {
    server.always(plain_reply(status, "down"));
    const http_result r = get();
    EXPECT_FALSE(r.error);
    EXPECT_EQ(r.response.status, 200);
  }
  EXPECT_EQ(client->counters().failed_calls, 0U);
}

TEST_F(HttpRetry, TheLastResponseIsDeliveredNotAnError) {
  server.always(plain_reply(503, "down"));
  const http_result r = get();
  EXPECT_FALSE(r.error) << r.error.message();
  EXPECT_EQ(r.response.status, 503);
  EXPECT_EQ(r.response.body, "down");
  EXPECT_EQ(r.response.history.attempts.size(), 4U);
  EXPECT_EQ(r.response.history.attempts[0].error, errc::unavailable_status);
  EXPECT_EQ(server.requests().size(), 4U);
}

TEST_F(HttpRetry, TheLastResponseIsDeliveredAlsoWhenALaterAttemptGotNone) {
  server.next(plain_reply(503, "down"));
  server.always(raw_reply("", then::close));
  const http_result r = get();
  EXPECT_FALSE(r.error) << r.error.message();
  EXPECT_EQ(r.response.status, 503);
  EXPECT_EQ(r.response.history.attempts.size(), 4U);
}

TEST_F(HttpRetry, AnUnavailablePostIsDeliveredAtOnce) {
  server.always(plain_reply(503));
  const http_result r = post("x");
  EXPECT_FALSE(r.error);
  EXPECT_EQ(r.response.status, 503);
  EXPECT_TRUE(r.response.history.attempts.empty());
  EXPECT_EQ(server.requests().size(), 1U);
  EXPECT_EQ(client->connection_gauges().idle, 1U);
}

TEST_F(HttpRetry, AMisdirectedRequestIsTriedElsewhereAlsoWhenUnsafe) {
  connect_both();
  server.always(plain_reply(421));
  other.always(plain_reply(201));
  for (int i = 0; i < 6; ++i) {
    const http_result r = post("x");
    EXPECT_FALSE(r.error);
    EXPECT_EQ(r.response.status, 201);
  }
}

TEST_F(HttpRetry, Fault108_ASlowResponseEndsAtTheDeadline) {
  raw_reply slow;
  slow.pieces = {"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"};
  for (int i = 0; i < 1000; ++i) slow.pieces.emplace_back("x");
  slow.between = 20ms;
  server.always(slow);
  const http_result r = get("/", 300ms);
  EXPECT_EQ(r.error, errc::deadline_exceeded);
  EXPECT_EQ(r.response.history.attempts.size(), 1U);
  EXPECT_EQ(client->connection_gauges().leased, 0U);
  EXPECT_TRUE(run_until(io, [&] { return server.open() == 0; })) << "our end was closed";
}

TEST_F(HttpRetry, Fault107_AMutePeerIsLeftForAnotherOne) {
  connect_both();
  server.always(raw_reply("", then::hold));
  for (int i = 0; i < 3; ++i) {
    const http_result r = get("/", 1s);
    EXPECT_FALSE(r.error) << r.response.history.text();
  }
}

TEST_F(HttpRetry, Fault107_AMutePeerIsOvertakenByASecondAttempt) {
  options.client.hedge.when = hedge_policy::trigger::after_delay;
  options.client.hedge.max_percent = 100;
  connect_both();
  server.always(raw_reply("", then::hold));
  for (int i = 0; i < 50 && client->counters().hedges == 0; ++i) {
    const http_result r = get("/", 10s);
    EXPECT_FALSE(r.error) << r.response.history.text();
    EXPECT_EQ(r.response.status, 200);
  }
  EXPECT_EQ(client->counters().hedges, 1U);
  EXPECT_EQ(client->counters().retries, 0U);
  EXPECT_EQ(client->connection_gauges().leased, 0U);
}

TEST_F(HttpRetry, Fault110_APeerThatDoesNotReadEndsAtTheDeadline) {
  raw_reply mute("", then::keep);
  mute.before_body = true;
  mute.pieces = {"", ""};
  mute.between = 1h;
  server.always(mute);
  http_request r("PUT", "/");
  r.body = std::string(20'000'000, 'x');
  options.client.retry.max_attempts = 1;
  EXPECT_EQ(send(std::move(r), 300ms).error, errc::deadline_exceeded);
}

TEST_F(HttpRetry, ARefusedConnectionIsTheError) {
  connect();
  server.close();
  expect_one_of(get("/", 1s), {asio::error::connection_refused});
}

TEST_F(HttpRetry, Fault126_CancellingClosesTheConnection) {
  connect();
  server.always(raw_reply("HTTP/1.1 200 OK\r\n", then::hold));
  asio::cancellation_signal signal;
  int completions = 0;
  error_code error;
  client->async_get("/", asio::bind_cancellation_slot(signal.slot(), [&](error_code ec, auto) {
                      ++completions;
                      error = ec;
                    }));
  ASSERT_TRUE(run_until(io, [&] { return !server.requests().empty(); }));
  signal.emit(asio::cancellation_type::terminal);
  EXPECT_EQ(completions, 0);
  ASSERT_TRUE(run_until(io, [&] { return completions > 0 && server.open() == 0; }));
  EXPECT_EQ(error, asio::error::operation_aborted);
  signal.emit(asio::cancellation_type::terminal);
  EXPECT_EQ(completions, 1);
}

// Destroys the client after every number of handlers that a request takes.
TEST_F(HttpRetry, Fault124_DestroyingTheClientAtAnyMoment) {
  raw_reply in_steps;
  in_steps.pieces = {"HTTP/1.1 100 Continue\r\n\r\n",
                     "HTTP/1.1 200 OK\r\nContent-",
                     "Length: 4\r\n\r\n",
                     "bo",
                     "dy"};
  server.always(in_steps);
  bool finished = false;
  for (int steps = 0; steps < 500 && !finished; ++steps) {
    client.reset();
    const auto result = start(http_request("GET", "/"));
    for (int i = 0; i < steps && result->completions == 0; ++i) {
      (void)io.run_one_for(30s);
    }
    finished = result->completions > 0;
    client.reset();
    const http_result r = finish(result);
    if (!finished) {
      expect_one_of(r, {errc::closed, error_code()});
    }
  }
  EXPECT_TRUE(finished);
  EXPECT_TRUE(run_until(io, [&] { return server.open() == 0; }));
}

TEST_F(HttpRetry, Fault127_AContextThatGoesFirst) {
  for (int steps = 0; steps < 40; ++steps) {
    auto inner = std::make_unique<asio::io_context>();
    const auto token = std::make_shared<int>();
    auto peer = std::make_unique<raw_http_server>(*inner);
    peer->always(raw_reply("HTTP/1.1 200 OK\r\n", then::hold));
    http_client c(inner->get_executor(), "static://" + peer->authority(), options);
    c.async_get("/", [token](error_code, const http_response&) { ADD_FAILURE() << "called"; });
    for (int i = 0; i < steps; ++i) (void)inner->poll_one();
    peer.reset();
    inner.reset();
    EXPECT_EQ(token.use_count(), 1) << steps;
  }
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
