// SPDX-License-Identifier: Apache-2.0
// A service proves itself over HTTP, and a stranger on its address never gets a request.
#include <redial/client/stream_clients.hpp>
#include <redial/net/identity.hpp>
#include <redial/net/tcp_connector.hpp>
#include <redial/testing/dns_server.hpp>
#include <redial/testing/event_recorder.hpp>

#include "support/http_world.hpp"
#include "support/line_peer.hpp"
#include "support/opened.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>

namespace redial::inline REDIAL_ABI::testing {
namespace {

namespace asio = boost::asio;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const char* const right_reply =
    "HTTP/1.1 200 OK\r\nX-Service: orders\r\nContent-Length: 8\r\n\r\norders 7";

class HttpIdentity : public HttpWorld {
 protected:
  HttpIdentity() {
    what.path = "/identity";
    what.header = "x-service";
    what.header_value = "orders";
    what.body_contains = "orders";
  }

  std::shared_ptr<opened> prove(endpoint where) {
    tcp_options o;
    o.identity = expect_http(what);
    tcp_connector c(o);
    auto result = testing::open(c, io, std::move(where));
    EXPECT_TRUE(run_until(io, [&] { return result->is_done(); }));
    return result;
  }
  std::shared_ptr<opened> prove(std::uint16_t port) {
    return prove(endpoint(asio::ip::address_v4::loopback(), port));
  }
  /// How the check likes `reply`, after which the server keeps the connection or does not.
  error_code verdict(const std::string& reply, raw_reply::then after = raw_reply::then::keep) {
    server.next(raw_reply(reply, after));
    return prove(server.port())->error;
  }

  http_identity what;
};

TEST_F(HttpIdentity, RightResponseLeavesACleanConnection) {
  server.next(right_reply);
  const auto o = prove(server.port());
  ASSERT_EQ(o->error, error_code());
  EXPECT_THAT(server.requests().at(0), StartsWith("GET /identity HTTP/1.1\r\n"));
  EXPECT_THAT(server.requests().at(0), HasSubstr("Host: " + server.authority() + "\r\n"));
  EXPECT_TRUE(o->connection->quiet());
  EXPECT_EQ(o->net().bytes_written() + o->net().bytes_read(), 0U);
}

TEST_F(HttpIdentity, HostIsSentAsGiven) {
  what.host = "orders.test";
  EXPECT_EQ(verdict(right_reply), error_code());
  EXPECT_THAT(server.requests().at(0), HasSubstr("Host: orders.test\r\n"));
}

TEST_F(HttpIdentity, HostOfAnSrvTargetIsItsAddressAndPortAlone) {
  server.next(right_reply);
  endpoint where(asio::ip::address_v4::loopback(), server.port());
  where.srv_target = "node1.test";
  EXPECT_EQ(prove(std::move(where))->error, error_code());
  EXPECT_THAT(server.requests().at(0), HasSubstr("Host: " + server.authority() + "\r\n"));
}

TEST_F(HttpIdentity, Fault115_AnythingElseIsAMismatch) {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n";
  EXPECT_EQ(verdict("HTTP/1.1 404 x\r\nX-Service: orders\r\nContent-Length: 8\r\n\r\norders 7"),
            errc::identity_mismatch);
  EXPECT_EQ(verdict(head + "\r\norders 7"), errc::identity_mismatch) << "no header";
  EXPECT_EQ(verdict(head + "X-Service: order\r\n\r\norders 7"), errc::identity_mismatch);
  EXPECT_EQ(verdict(head + "X-Service: orders\r\n\r\ninvoices"), errc::identity_mismatch);
  EXPECT_EQ(verdict("+PONG\r\n"), errc::identity_mismatch) << "no HTTP";
  EXPECT_EQ(verdict("HTTP/1.1 101 x\r\nUpgrade: x\r\n\r\n"), errc::identity_mismatch);
  EXPECT_EQ(verdict("HTTP/1.1 200 OK\r\nX: " + std::string(20000, 'x') + "\r\n\r\n"),
            errc::identity_mismatch);
  what.max_body = 4;
  EXPECT_EQ(verdict(right_reply), errc::identity_mismatch) << "too much to look through";
}

TEST_F(HttpIdentity, Fault147_ATlsServersAlertIsAMismatch) {
  EXPECT_EQ(verdict(std::string("\x15\x03\x03\x00\x02\x02\x46", 7)), errc::identity_mismatch);
}

TEST_F(HttpIdentity, WhoIsNotReadyIsNoStranger) {
  EXPECT_EQ(verdict("HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n"), errc::unavailable_status);
  EXPECT_EQ(verdict("", raw_reply::then::close), errc::peer_closed);
  EXPECT_EQ(verdict("HTTP/1.1 200 OK\r\nContent-Le", raw_reply::then::close), errc::peer_closed);
  EXPECT_EQ(verdict("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nord", raw_reply::then::close),
            errc::peer_closed);
  what = {};
  what.status = 503;
  EXPECT_EQ(verdict("HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n"), error_code()) << "asked for";
}

TEST_F(HttpIdentity, AConnectionThatEndsWithTheProofIsNotHandedOut) {
  const std::string named = "X-Service: orders\r\n";
  EXPECT_EQ(verdict("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 6\r\n" + named +
                    "\r\norders"),
            errc::identity_spent);
  EXPECT_EQ(verdict("HTTP/1.0 200 OK\r\nContent-Length: 6\r\n" + named + "\r\norders"),
            errc::identity_spent);
  EXPECT_EQ(verdict("HTTP/1.1 200 OK\r\n" + named + "\r\norders", raw_reply::then::close),
            errc::identity_spent)
      << "a body that ends with the connection";
  EXPECT_EQ(verdict(std::string(right_reply) + "HTTP/1.1 200"), errc::identity_spent) << "leftover";
  what.body_contains.clear();
  what.max_body = 4;
  EXPECT_EQ(verdict(right_reply), errc::identity_spent) << "a body that is not read to its end";
}

TEST_F(HttpIdentity, InterimResponsesAreReadOver) {
  EXPECT_EQ(verdict("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + std::string(right_reply)),
            error_code());
}

TEST_F(HttpIdentity, Fault88_BadOptionsAreRefusedByName) {
  const auto refusal = [](const http_identity& o) -> std::string {
    try {
      (void)expect_http(o);
    } catch (const std::invalid_argument& e) {
      return e.what();
    }
    return "";
  };
  const auto with = [](auto member, auto value) {
    http_identity o;
    o.*member = value;
    return o;
  };
  EXPECT_EQ(refusal({}), "");
  EXPECT_THAT(refusal(with(&http_identity::path, "id")), HasSubstr("http_identity::path"));
  EXPECT_THAT(refusal(with(&http_identity::path, "/a b")), HasSubstr("http_identity::path"));
  EXPECT_THAT(refusal(with(&http_identity::path, "/\r\nX: y")), HasSubstr("http_identity::path"));
  EXPECT_THAT(refusal(with(&http_identity::host, "a\nb")), HasSubstr("http_identity::host"));
  EXPECT_THAT(refusal(with(&http_identity::status, 199U)), HasSubstr("http_identity::status"));
  EXPECT_THAT(refusal(with(&http_identity::header_value, "x")), HasSubstr("http_identity::header"));
  EXPECT_THAT(refusal(with(&http_identity::max_body, std::size_t{1} << 21U)),
              HasSubstr("http_identity::max_body"));
}

TEST_F(HttpIdentity, Fault115_AStrangerOnARecycledAddressNeverGetsARequest) {
  server.always(right_reply);
  other.always(plain_reply(200, "somebody else"));
  options.tcp.identity = expect_http(what);
  options.client.pool.max_connections = 1;  // so that both are wanted
  connect_both();
  std::vector<std::shared_ptr<http_result>> all;
  for (int i = 0; i < 20; ++i) all.push_back(start(http_request("POST", "/work")));
  for (const auto& r : all) {
    EXPECT_FALSE(finish(r).error) << r->response.history.text();
    EXPECT_EQ(r->response.body, "orders 7");
  }
  ASSERT_TRUE(run_until(io, [&] { return !other.requests().empty(); }));
  EXPECT_THAT(other.requests(), Each(StartsWith("GET /identity ")));
}

TEST_F(HttpIdentity, Fault115_WhenOnlyAStrangerAnswersTheCallSaysSo) {
  server.always(plain_reply(200, "somebody else"));
  options.tcp.identity = expect_http(what);
  const http_result r = get("/", 1s);
  EXPECT_EQ(r.error, errc::identity_mismatch) << r.error.message() << r.response.history.text();
  EXPECT_THAT(server.requests(), Each(StartsWith("GET /identity ")));
}

/// A client of a name whose endpoints are doubted, because the name does not exist any more.
class DoubtedName : public ::testing::Test {
 protected:
  DoubtedName() {
    peer.reply = {"+PONG\r\n"};
    dns.set("db.test", record_type::a, {"127.0.0.1"}, 1s);
    discovery_options o;
    o.nameservers = {dns.address()};
    o.hosts_path = "";
    o.watch.ttl_cap = 1s;
    o.watch.absence_window = 0s;
    o.listener = recorder;
    names = discovery::create(io.get_executor(), o);
  }

  /// Takes the only connection, makes the name vanish, and asks for another one.
  error_code second_checkout(const tcp_options& tcp) {
    const target t("tcp://db.test:" + std::to_string(peer.port()));
    auto client = make_tcp_client(io.get_executor(), names, t, {}, tcp);
    lease<tcp_connection> first;
    EXPECT_EQ(checkout(client, first, 30s), error_code());
    dns.remove("db.test");
    EXPECT_TRUE(
        run_until(io, [&] { return recorder->count(event_kind::endpoint, "doubted") > 0; }));
    (void)io.poll();  // the client hears of it
    lease<tcp_connection> second;
    return checkout(client, second, 300ms);
  }

  boost::asio::io_context io;
  line_peer peer{io};
  dns_server dns;
  std::shared_ptr<event_recorder> recorder = std::make_shared<event_recorder>();
  std::shared_ptr<discovery> names;

 private:
  error_code checkout(tcp_client& client, lease<tcp_connection>& into, duration patience) {
    std::optional<error_code> result;
    client.async_checkout(checkout_options(clock::now() + patience),
                          [&](error_code ec, lease<tcp_connection> l) {
                            into = std::move(l);
                            result = ec;
                          });
    EXPECT_TRUE(run_until(io, [&] { return result.has_value(); }));
    return result.value_or(errc::closed);
  }
};

TEST_F(DoubtedName, NoPlaintextConnectionIsOpenedWithoutProof) {
  EXPECT_TRUE(second_checkout({}));
  EXPECT_EQ(peer.accepted(), 1U);
}

TEST_F(DoubtedName, OneThatIsProvenIs) {
  byte_identity ping;
  ping.send = "PING\r\n";
  ping.expect = "+PONG\r\n";
  tcp_options tcp;
  tcp.identity = expect_bytes(ping);
  EXPECT_EQ(second_checkout(tcp), error_code());
  EXPECT_EQ(peer.accepted(), 2U);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
