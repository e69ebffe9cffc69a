// SPDX-License-Identifier: Apache-2.0
// The pool lends connections of libraries it knows nothing about: real hiredis contexts against
// Redis, real libpq sessions against PostgreSQL.

#include <redial/client/client.hpp>
#include <redial/testing/dns_server.hpp>

#include "foreign/foreign_connectors.hpp"
#include "support/databases.hpp"
#include "support/event_wait.hpp"
#include "support/opened.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <gtest/gtest.h>

#include <string>

namespace {

using namespace std::chrono_literals;
using redial::testing::postgres_connection;
using redial::testing::redis_connection;
using redial::testing::run_until;

struct world {
  world() {
    options.nameservers = {dns.address()};
    options.watch.ttl_cap = 1s;
    names = redial::discovery::create(io.get_executor(), options);
  }

  template <class Connection, class Connector>
  redial::basic_client<Connection> client(std::uint16_t port) {
    return redial::basic_client<Connection>(io.get_executor(),
                                            names,
                                            redial::target("tcp://db.test:" + std::to_string(port)),
                                            std::make_shared<Connector>());
  }

  boost::asio::io_context io;
  redial::testing::dns_server dns;
  redial::discovery_options options;
  std::shared_ptr<redial::discovery> names;
};

template <class Connection>
redial::lease<Connection> checkout(world& w, redial::basic_client<Connection>& client) {
  redial::lease<Connection> got;
  redial::error_code failed;
  bool done = false;
  client.async_checkout({}, [&](redial::error_code ec, redial::lease<Connection> l) {
    failed = ec;
    got = std::move(l);
    done = true;
  });
  EXPECT_TRUE(run_until(w.io, [&] { return done; }));
  EXPECT_FALSE(failed) << failed.message();
  return got;
}

template <class Connection>
std::string call(world& w,
                 redial::basic_client<Connection>& client,
                 std::function<std::string(Connection&)> use) {
  std::string reply;
  redial::error_code failed;
  bool done = false;
  client.async_call(
      [&](redial::attempt&, Connection& c, redial::operation_handler handler) {
        reply = use(c);
        handler(reply.empty() ? boost::asio::error::connection_reset : redial::error_code{});
      },
      redial::call_options(10s).idempotent(),
      [&](redial::error_code ec, const redial::call_history& history) {
        failed = ec;
        if (ec) ADD_FAILURE() << ec.message() << "\n" << history.text();
        done = true;
      });
  EXPECT_TRUE(run_until(w.io, [&] { return done; }));
  return reply;
}

TEST(ForeignConnections, RedisContextsAreReusedAndMoveWithTheName) {
  if (!redial::testing::redis_server::is_installed()) GTEST_SKIP() << "needs redis-server";
  redial::testing::redis_server first("127.0.0.2");
  redial::testing::redis_server second("127.0.0.3", first.port());
  world w;
  w.dns.set("db.test", redial::record_type::a, {"127.0.0.2"}, 1s);
  auto client = w.client<redis_connection, redial::testing::redis_connector>(first.port());

  const auto set = [](redis_connection& c) { return c.command("SET where first"); };
  EXPECT_EQ(call<redis_connection>(w, client, set), "OK");
  {
    auto lease = checkout(w, client);
    EXPECT_EQ(lease->command("GET where"), "first");
    EXPECT_TRUE(lease.is_reused());
  }
  EXPECT_EQ(client.connection_counters().opened, 1U);

  w.dns.set("db.test", redial::record_type::a, {"127.0.0.3"}, 1s);
  ASSERT_TRUE(run_until(w.io, [&] { return client.connection_counters().closed == 1; }));
  auto lease = checkout(w, client);
  EXPECT_EQ(lease.where().addr.to_string(), "127.0.0.3");
  EXPECT_EQ(lease->command("PING"), "PONG");
}

TEST(ForeignConnections, ADeadRedisContextIsRetriedOnALivingAddress) {
  if (!redial::testing::redis_server::is_installed()) GTEST_SKIP() << "needs redis-server";
  redial::testing::redis_server first("127.0.0.2");
  redial::testing::redis_server second("127.0.0.3", first.port());
  world w;
  w.dns.set("db.test", redial::record_type::a, {"127.0.0.2", "127.0.0.3"}, 1s);
  auto client = w.client<redis_connection, redial::testing::redis_connector>(first.port());
  ASSERT_TRUE(run_until(w.io, [&] { return client.connection_gauges().endpoints_active == 2; }));

  first.kill();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(
        call<redis_connection>(w, client, [](redis_connection& c) { return c.command("PING"); }),
        "PONG");
  }
}

TEST(ForeignConnections, PostgresSessionsServeAndFollowTheName) {
  if (!redial::testing::postgres_server::is_installed()) GTEST_SKIP() << "needs postgresql";
  redial::testing::postgres_server server({"127.0.0.2", "127.0.0.3"});
  world w;
  w.dns.set("db.test", redial::record_type::a, {"127.0.0.2"}, 1s);
  auto client = w.client<postgres_connection, redial::testing::postgres_connector>(server.port());

  const auto where = [](postgres_connection& c) {
    return c.query("select host(inet_server_addr())");
  };
  EXPECT_EQ(call<postgres_connection>(w, client, where), "127.0.0.2");
  EXPECT_EQ(call<postgres_connection>(w, client, where), "127.0.0.2");
  EXPECT_EQ(client.connection_counters().opened, 1U);

  w.dns.set("db.test", redial::record_type::a, {"127.0.0.3"}, 1s);
  ASSERT_TRUE(run_until(w.io, [&] { return client.connection_counters().closed == 1; }));
  EXPECT_EQ(call<postgres_connection>(w, client, where), "127.0.0.3");
}

TEST(ForeignConnections, AServerThatIsNotThereIsATypedError) {
  world w;
  w.dns.set("db.test", redial::record_type::a, {"127.0.0.2"}, 1s);
  const auto port = redial::testing::free_port({"127.0.0.2"});
  auto redis = w.client<redis_connection, redial::testing::redis_connector>(port);
  auto postgres = w.client<postgres_connection, redial::testing::postgres_connector>(port);
  int done = 0;
  const auto refused = [&](redial::error_code ec, const auto&) {
    EXPECT_EQ(ec, boost::asio::error::connection_refused) << ec.message();
    ++done;
  };
  redis.async_checkout({}, refused);
  postgres.async_checkout({}, refused);
  EXPECT_TRUE(run_until(w.io, [&] { return done == 2; }));
}

TEST(ForeignConnections, AServerThatIsSilentEndsAtTheConnectTimeout) {
  world w;
  w.dns.set("db.test", redial::record_type::a, {"127.0.0.1"}, 1s);
  // Accepts, by the system's doing, and says nothing: libpq waits for its first answer.
  boost::asio::ip::tcp::acceptor mute(w.io, {boost::asio::ip::address_v4::loopback(), 0});
  const redial::testing::deaf_listener deaf(w.io);
  const long before = redial::testing::open_descriptors();
  {
    redial::client_options o;
    o.pool.connect_timeout = 100ms;
    redial::basic_client<postgres_connection> postgres(
        w.io.get_executor(),
        w.names,
        redial::target("tcp://db.test:" + std::to_string(mute.local_endpoint().port())),
        std::make_shared<redial::testing::postgres_connector>(),
        o);
    redial::basic_client<redis_connection> redis(
        w.io.get_executor(),
        w.names,
        redial::target("tcp://db.test:" + std::to_string(deaf.port())),
        std::make_shared<redial::testing::redis_connector>(),
        o);
    int done = 0;
    const auto silent = [&](redial::error_code ec, const auto&) {
      EXPECT_EQ(ec, redial::errc::connect_timeout) << ec.message();
      ++done;
    };
    postgres.async_checkout({}, silent);
    redis.async_checkout({}, silent);
    EXPECT_TRUE(run_until(w.io, [&] { return done == 2; }));
  }
  // What they had half open is closed.
  EXPECT_TRUE(run_until(w.io, [&] { return redial::testing::open_descriptors() <= before; }));
}

}  // namespace
