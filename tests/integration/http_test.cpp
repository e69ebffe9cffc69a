// SPDX-License-Identifier: Apache-2.0
// Responses, good and bad, and what becomes of their connections.
#include "support/http_world.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {
namespace {

class Http : public HttpWorld {};

using then = raw_reply::then;

std::string ok(const std::string& fields, const std::string& body = "") {
  return "HTTP/1.1 200 OK\r\n" + fields + "\r\n" + body;
}

TEST_F(Http, SendsWhatWasAskedAndKeepsTheConnection) {
  const http_result first = get("/a?b=c");
  EXPECT_FALSE(first.error) << first.error.message();
  EXPECT_EQ(first.response.status, 200);
  EXPECT_EQ(first.response.reason, "x");
  EXPECT_EQ(first.response.body, "ok");
  EXPECT_EQ(first.response.fields.get("content-length"), "2");
  EXPECT_TRUE(first.response.history.attempts.empty());

  http_request second("POST", "/p");
  second.fields.add("X-A", "1");
  second.fields.add("x-a", "2");
  second.fields.add("Host", "api.test");
  second.fields.add("User-Agent", "mine");
  second.body = "hello";
  EXPECT_FALSE(send(std::move(second)).error);

  EXPECT_EQ(server.accepted(), 1U);
  ASSERT_EQ(server.requests().size(), 2U);
  EXPECT_EQ(
      server.requests()[0],
      "GET /a?b=c HTTP/1.1\r\nHost: " + server.authority() + "\r\nUser-Agent: redial\r\n\r\n");
  EXPECT_EQ(server.requests()[1],
            "POST /p HTTP/1.1\r\nHost: api.test\r\nX-A: 1\r\nx-a: 2\r\nUser-Agent: mine\r\n"
            "Content-Length: 5\r\n\r\nhello");
  EXPECT_EQ(client->counters().calls, 2U);
  EXPECT_EQ(client->connection_gauges().idle, 1U);
}

// A stored operation is a recipe: each start sends a request of its own.
TEST_F(Http, AStoredRequestMayBeStartedTwice) {
  http_request request("POST", "/p");
  request.body = "hello";
  const auto op =
      connect().async_request(std::move(request), call_options(30s), boost::asio::deferred);
  std::vector<std::string> bodies;
  const auto note = [&](error_code ec, const http_response& r) {
    EXPECT_FALSE(ec) << ec.message();
    bodies.push_back(r.body);
  };
  op(note);
  op(note);
  EXPECT_TRUE(run_until(io, [&] { return bodies.size() == 2; }));
  EXPECT_EQ(bodies, (std::vector<std::string>{"ok", "ok"}));
  ASSERT_EQ(server.requests().size(), 2U);
  EXPECT_TRUE(server.requests()[0].starts_with("POST /p HTTP/1.1\r\nHost: "));
  EXPECT_EQ(server.requests()[0].find("POST", 1), std::string::npos);
  EXPECT_EQ(server.requests()[0], server.requests()[1]);
}

TEST_F(Http, ARequestThatMayNotBeSentIsDroppedOnceTheContextIsGone) {
  auto own = std::make_unique<boost::asio::io_context>();
  http_client orphan(own->get_executor(), "static://127.0.0.1:1");
  own.reset();
  const auto calls = std::make_shared<int>(0);
  orphan.async_request(http_request("GET", "no slash"),
                       [calls](error_code, const http_response&) { ++*calls; });
  EXPECT_EQ(calls.use_count(), 1) << "destroyed uncalled";
  EXPECT_EQ(*calls, 0);
}

TEST_F(Http, AnEmptyPostHasALength) {
  EXPECT_FALSE(post("").error);
  EXPECT_NE(server.requests().at(0).find("\r\nContent-Length: 0\r\n"), std::string::npos);
}

TEST_F(Http, KeepsConnectionsOnlyAfterACleanResponse) {
  EXPECT_TRUE(is_kept_after(ok("Content-Length: 2\r\n", "ok"), "ok"));
  EXPECT_TRUE(is_kept_after(ok("Content-Length: 0\r\n"), ""));
  EXPECT_TRUE(is_kept_after(ok("Transfer-Encoding: chunked\r\n", "2\r\nok\r\n0\r\n\r\n"), "ok"));
  EXPECT_TRUE(
      is_kept_after("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n"
                    "\r\nok",
                    "ok"));
  EXPECT_FALSE(is_kept_after(ok("Connection: close\r\nContent-Length: 2\r\n", "ok"), "ok"));
  EXPECT_FALSE(is_kept_after("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok"));
}

TEST_F(Http, Fault162_KeepsNoConnectionWithLeftovers) {
  EXPECT_FALSE(is_kept_after(ok("Content-Length: 2\r\n", "okHTTP/1.1 200 OK\r\n"), "ok"));
  EXPECT_FALSE(is_kept_after("HTTP/1.1 204 No\r\n\r\nbody", ""));
  EXPECT_FALSE(is_kept_after("HTTP/1.1 304 No\r\nContent-Length: 4\r\n\r\nbody", ""));
  EXPECT_TRUE(is_kept_after("HTTP/1.1 204 No\r\n\r\n", ""));
}

TEST_F(Http, Fault163_HeadHasNoBodyWhateverItsLengthSays) {
  EXPECT_TRUE(is_kept_after(ok("Content-Length: 1000\r\n"), "", "HEAD"));
  EXPECT_TRUE(is_kept_after(ok("Transfer-Encoding: chunked\r\n"), "", "HEAD"));
}

TEST_F(Http, Fault163_InterimResponsesAreSkipped) {
  EXPECT_TRUE(is_kept_after("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" +
                                ok("Content-Length: 2\r\n", "ok"),
                            "ok"));
  std::string endless;
  for (int i = 0; i < 1000; ++i) endless += "HTTP/1.1 100 Continue\r\n\r\n";
  client.reset();
  EXPECT_EQ(get_reply(endless).error, errc::bad_response);
  EXPECT_EQ(get_reply("HTTP/1.1 100 Continue\r\n\r\n").error, errc::partial_response);
  EXPECT_EQ(get_reply("HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n").error,
            errc::bad_response);
}

TEST_F(Http, ABodyThatEndsWithItsConnection) {
  const http_result r = get_reply(ok("", "until the end"));
  EXPECT_FALSE(r.error) << r.error.message();
  EXPECT_EQ(r.response.body, "until the end");
  EXPECT_EQ(client->connection_gauges().idle, 0U);
}

TEST_F(Http, ChunksMayHaveExtensionsAndTrailers) {
  const http_result r = get_reply(ok("Transfer-Encoding: chunked\r\nTrailer: X-T\r\n",
                                     "5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nX-T: late\r\n\r\n"),
                                  then::keep);
  EXPECT_FALSE(r.error) << r.error.message();
  EXPECT_EQ(r.response.body, "hello world");
}

TEST_F(Http, Fault160_MalformedFramingIsRefused) {
  for (const char* fields : {"Content-Length: 2\r\nContent-Length: 3\r\n",
                             "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
                             "Content-Length: +2\r\n",
                             "Content-Length: -2\r\n",
                             "Content-Length: 18446744073709551616\r\n",
                             "Content-Length: x\r\n",
                             "Transfer-Encoding: gzip\r\n",
                             "Transfer-Encoding: gzip, chunked\r\n",
                             "Transfer-Encoding: chunked, chunked\r\n",
                             "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"}) {
    const http_result r = get_reply(ok(fields, "ok"));
    EXPECT_EQ(r.error, errc::bad_response) << fields << r.error.message();
    EXPECT_EQ(r.response.history.attempts.size(), 1U);
  }
  EXPECT_EQ(get_reply(ok("Transfer-Encoding: chunked\r\n", "zz\r\n")).error, errc::bad_response);
}

TEST_F(Http, Fault164_MalformedHeadsAreRefused) {
  using namespace std::string_literals;
  for (const std::string& bytes : {"SSH-2.0-OpenSSH_9.2\r\n\r\n"s,
                                   "HTTP/1.1 099 x\r\nContent-Length: 0\r\n\r\n"s,
                                   "HTTP/1.1 600 x\r\nContent-Length: 0\r\n\r\n"s,
                                   "HTTP/1.1 abc x\r\n\r\n"s,
                                   "HTTP/2.0 200 x\r\n\r\n"s,
                                   "HTTP/1.1 200 x\r\nA : b\r\n\r\n"s,
                                   "HTTP/1.1 200 x\r\nA: b\0c\r\n\r\n"s,
                                   "HTTP/1.1 200 x\r\n: b\r\n\r\n"s}) {
    EXPECT_EQ(get_reply(bytes).error, errc::bad_response) << bytes;
  }
}

TEST_F(Http, Fault165_LimitsOfHeaderAndBody) {
  options.max_header_bytes = 1024;
  options.max_body_bytes = 1000;
  EXPECT_FALSE(get_reply(ok("Content-Length: 1000\r\n", std::string(1000, 'x'))).error);
  EXPECT_EQ(get_reply(ok("Content-Length: 1001\r\n", std::string(1001, 'x'))).error,
            errc::body_too_large);
  EXPECT_EQ(get_reply(ok("", std::string(5000, 'x'))).error, errc::body_too_large);
  EXPECT_EQ(
      get_reply(ok("Transfer-Encoding: chunked\r\n", "3e9\r\n" + std::string(1001, 'x'))).error,
      errc::body_too_large);
  EXPECT_EQ(get_reply(ok("A: " + std::string(2000, 'x') + "\r\n")).error, errc::header_too_large);
  std::string many;
  for (int i = 0; i < 2000; ++i) many += "A" + std::to_string(i) + ": b\r\n";
  EXPECT_EQ(get_reply(ok(many)).error, errc::header_too_large);
}

TEST_F(Http, Fault166_LimitsOfChunkExtensionsAndTrailers) {
  const std::string head = ok("Transfer-Encoding: chunked\r\n");
  EXPECT_EQ(get_reply(head + "2;" + std::string(5'000'000, 'x') + "\r\nok\r\n0\r\n\r\n").error,
            errc::header_too_large);
  std::string trailers;
  for (int i = 0; i < 200'000; ++i) trailers += "X-T: y\r\n";
  EXPECT_EQ(get_reply(head + "2\r\nok\r\n0\r\n" + trailers + "\r\n").error, errc::header_too_large);
}

TEST_F(Http, Fault106_AResponseThatBreaksOffIsPartial) {
  EXPECT_EQ(get_reply(ok("Content-Length: 10\r\n", "short")).error, errc::partial_response);
  EXPECT_EQ(get_reply(ok("Content-Length: 10\r\n", "short"), then::reset).error,
            errc::partial_response);
  EXPECT_EQ(get_reply("HTTP/1.1 200 OK\r\nConte").error, errc::partial_response);
  EXPECT_EQ(get_reply(ok("Transfer-Encoding: chunked\r\n", "5\r\nhel")).error,
            errc::partial_response);
}

TEST_F(Http, Fault106_AResponseThatBreaksOffIsNotAskedForAgain) {
  server.always(raw_reply(ok("Content-Length: 10\r\n", "short"), then::close));
  EXPECT_EQ(get().error, errc::partial_response);
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(Http, Fault157_BadRequestsAreRefusedAndNothingIsSent) {
  connect();
  const auto result = start(http_request("GET", "/\r\nX: y"));
  EXPECT_EQ(result->completions, 0) << "never inline";
  EXPECT_EQ(finish(result).error, errc::invalid_request);
  http_request split("GET", "/");
  split.fields.add("X", "a\r\nY: b");
  EXPECT_EQ(send(std::move(split)).error, errc::invalid_request);
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(Http, Fault167_RedirectsAreDeliveredNotFollowed) {
  server.next(ok("Content-Length: 0\r\nSet-Cookie: a=b\r\n"));
  server.next("HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n");
  EXPECT_FALSE(get().error);
  EXPECT_EQ(get().response.status, 302);
  ASSERT_EQ(server.requests().size(), 2U);
  EXPECT_EQ(server.requests()[1].find("Cookie"), std::string::npos);
}

TEST_F(Http, AnAnswerBeforeTheWholeRequestIsDelivered) {
  raw_reply early("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno",
                  then::close);
  early.before_body = true;
  server.always(early);
  const http_result r = post(std::string(20'000'000, 'x'));
  EXPECT_FALSE(r.error) << r.error.message();
  EXPECT_EQ(r.response.status, 413);
  EXPECT_EQ(r.response.body, "no");
}

TEST_F(Http, TargetsThatAreNotForHttpAreRefused) {
  EXPECT_THROW(http_client(io.get_executor(), "tcp://a.test:80"), std::invalid_argument);
  EXPECT_THROW(http_client(io.get_executor(), "a.test"), std::invalid_argument);
  options.max_header_bytes = 1;
  EXPECT_THROW(http_client(io.get_executor(), "http://a.test", options), std::invalid_argument);
}

// A server that is written to and read from while the client's context stands still.
class StrayBytes : public HttpWorld {
 protected:
  using tcp = boost::asio::ip::tcp;

  StrayBytes() { connect("static://127.0.0.1:" + std::to_string(door.local_endpoint().port())); }
  tcp::socket accepted() {
    tcp::socket peer(io);
    bool done = false;
    door.async_accept(peer, [&done](error_code ec) { done = !ec; });
    EXPECT_TRUE(run_until(io, [&done] { return done; }));
    return peer;
  }
  static void say(tcp::socket& peer, const std::string& bytes) {
    boost::asio::write(peer, boost::asio::buffer(bytes));
  }

  tcp::acceptor door{io, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)};
};

TEST_F(StrayBytes, Fault109_WhatCameBetweenTwoRequestsIsNoResponse) {
  auto first = start(http_request("GET", "/"));
  auto peer = accepted();
  say(peer, ok("Content-Length: 2\r\n", "ok"));
  EXPECT_EQ(finish(first).response.body, "ok");
  say(peer, ok("Content-Length: 5\r\n", "wrong"));

  auto second = start(http_request("POST", "/"));
  auto other_peer = accepted();
  say(other_peer, ok("Content-Length: 2\r\n", "ok"));
  EXPECT_EQ(finish(second).response.body, "ok");
  EXPECT_FALSE(second->response.history.attempts.at(0).sent);
}

TEST_F(StrayBytes, Fault105_APostDoesNotGoOutOnAConnectionThatHasEnded) {
  auto first = start(http_request("GET", "/"));
  auto peer = accepted();
  say(peer, ok("Content-Length: 2\r\n", "ok"));
  EXPECT_EQ(finish(first).response.body, "ok");
  peer.shutdown(tcp::socket::shutdown_send);

  auto second = start(http_request("POST", "/"));
  auto other_peer = accepted();
  say(other_peer, ok("Content-Length: 2\r\n", "ok"));
  EXPECT_FALSE(finish(second).error);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
