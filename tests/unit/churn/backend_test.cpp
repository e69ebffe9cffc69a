// SPDX-License-Identifier: Apache-2.0
// What a backend does with requests, on real connections to one session each.

#include "churn/backend_session.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

namespace redial::churn {
namespace {

namespace http = boost::beast::http;
using boost::asio::ip::tcp;
using response = http::response<http::string_body>;

class Backend : public ::testing::Test {
 protected:
  Backend() : acceptor_(io_, {boost::asio::ip::make_address("127.0.0.1"), 0}) { restart({}); }
  ~Backend() override { std::remove(log_.c_str()); }

  void restart(backend_options o) {
    o.name = "A";
    o.log = log_;
    o.service_time = duration::zero();
    service_.emplace(std::move(o));
  }

  tcp::socket connect() {
    tcp::socket client(io_);
    client.connect(acceptor_.local_endpoint());
    serve_connection(acceptor_.accept(), nullptr, *service_, sessions_);
    return client;
  }

  void send(tcp::socket& client, const std::string& path) {
    http::request<http::empty_body> request(http::verb::get, path, 11);
    request.set(http::field::host, "a.test");
    http::write(client, request);
  }

  // The next response, or nothing at the connection's end.
  std::optional<response> receive(tcp::socket& client) {
    boost::beast::flat_buffer buffer;
    response r;
    std::optional<boost::system::error_code> ended;
    http::async_read(client, buffer, r, [&](auto ec, std::size_t) { ended = ec; });
    io_.restart();
    while (!ended) io_.run_one();
    error_ = *ended;
    if (*ended) return std::nullopt;
    return r;
  }

  // Until `count` requests are in the log, and nothing is left to do at once.
  void run_until_logged(std::size_t count) {
    io_.restart();
    while (logged().size() < count) io_.run_one();
    while (io_.poll() > 0) {
    }
  }

  std::vector<log_line> logged() const {
    std::ifstream in(log_);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    return parse_backend_log(text).lines;
  }

  const std::string log_ = ::testing::TempDir() + "redial_backend_test.log";
  std::optional<backend_service> service_;
  backend_sessions sessions_;
  boost::asio::io_context io_{1};
  tcp::acceptor acceptor_;
  boost::system::error_code error_;
};

TEST_F(Backend, AnswersWithItsNameAndLogsTheConnection) {
  auto client = connect();
  for (const char* path : {"/redial/1", "/redial/2"}) {
    send(client, path);
    const auto r = receive(client);
    ASSERT_TRUE(r);
    EXPECT_EQ(r->result_int(), 200U);
    EXPECT_EQ(r->body(), "A");
    EXPECT_TRUE(r->keep_alive());
  }
  auto other = connect();
  send(other, "/plain/3");
  ASSERT_TRUE(receive(other));
  const auto lines = logged();
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[1].id, 2U);
  EXPECT_EQ(lines[0].connection, lines[1].connection);
  EXPECT_NE(lines[1].connection, lines[2].connection);
}

TEST_F(Backend, SaysWhoItIsAndLogsNothing) {
  auto client = connect();
  send(client, "/who");
  const auto r = receive(client);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->result_int(), 200U);
  EXPECT_EQ((*r)["Service"], "churn");
  EXPECT_TRUE(logged().empty());
}

TEST_F(Backend, AStrangerSaysSoAndKnowsNoPath) {
  backend_options o;
  o.stranger = true;
  restart(o);
  auto client = connect();
  send(client, "/who");
  EXPECT_EQ((*receive(client))["Service"], "stranger");
  send(client, "/redial/1");
  EXPECT_EQ(receive(client)->result_int(), 404U);
  EXPECT_EQ(logged().size(), 1U);
}

TEST_F(Backend, UnavailableIs503OnAConnectionThatStays) {
  auto client = connect();
  service_->behave(manner::unavailable);
  send(client, "/redial/1");
  const auto r = receive(client);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->result_int(), 503U);
  EXPECT_TRUE(r->keep_alive());
}

TEST_F(Backend, DrainAnswersAndEndsTheConnection) {
  auto client = connect();
  service_->behave(manner::drain);
  send(client, "/redial/1");
  const auto r = receive(client);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->result_int(), 200U);
  EXPECT_FALSE(r->keep_alive());
  EXPECT_FALSE(receive(client));
  EXPECT_TRUE(sessions_.empty());
}

TEST_F(Backend, MuteNeverAnswersWhatItHasRead) {
  auto client = connect();
  service_->behave(manner::mute);
  send(client, "/redial/1");
  run_until_logged(1);
  service_->behave(manner::unavailable);
  send(client, "/redial/2");
  EXPECT_EQ(receive(client)->result_int(), 503U);  // the first answer on this connection
}

TEST_F(Backend, AResetIsSeenAsOne) {
  auto client = connect();
  for (auto* s : sessions_) s->reset();
  EXPECT_FALSE(receive(client));
  EXPECT_EQ(error_, boost::asio::error::connection_reset);
}

TEST(Manner, IsReadAsItIsWritten) {
  for (const auto m : {manner::serve, manner::mute, manner::unavailable, manner::drain}) {
    EXPECT_EQ(parse_manner(to_string(m)), m);
  }
  EXPECT_FALSE(parse_manner("else"));
}

}  // namespace
}  // namespace redial::churn
