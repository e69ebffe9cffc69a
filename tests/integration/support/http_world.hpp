// SPDX-License-Identifier: Apache-2.0
#pragma once

// An HTTP client and raw servers on one executor.

#include <redial/http/http_client.hpp>

#include "support/event_wait.hpp"
#include "support/raw_http_server.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace redial::inline REDIAL_ABI::testing {

using namespace std::chrono_literals;

struct http_result {
  int completions = 0;
  error_code error;
  http_response response;
};

class HttpWorld : public ::testing::Test {
 protected:
  HttpWorld() {
    options.client.retry.delay = 1ms;
    options.client.pool.seed = 1;
  }
  ~HttpWorld() override { shut_down(); }

  /// Ends everything and runs what is left.
  void shut_down() {
    client.reset();
    server.close();
    other.close();
    (void)run_until(
        io, [] { return false; }, 1s);
  }

  http_client& connect() { return connect("static://" + server.authority()); }
  http_client& connect_both() {
    return connect("static://" + server.authority() + "," + other.authority());
  }
  http_client& connect(const std::string& target) {
    client.emplace(io.get_executor(), target, options);
    return *client;
  }

  std::shared_ptr<http_result> start(http_request request, call_options o = 30s) {
    if (!client) connect();
    auto result = std::make_shared<http_result>();
    client->async_request(std::move(request), o, [result](error_code ec, http_response response) {
      ++result->completions;
      result->error = ec;
      result->response = std::move(response);
    });
    return result;
  }
  http_result finish(const std::shared_ptr<http_result>& result) {
    EXPECT_TRUE(run_until(io, [&] { return result->completions > 0; }));
    EXPECT_EQ(result->completions, 1);
    return *result;
  }
  http_result send(http_request request, call_options o = 30s) {
    return finish(start(std::move(request), o));
  }
  http_result get(const std::string& path = "/", call_options o = 30s) {
    return send(http_request("GET", path), o);
  }
  http_result post(const std::string& body) {
    http_request r("POST", "/");
    r.body = body;
    return send(std::move(r));
  }
  /// One GET whose reply is `bytes`, after which the server ends the connection.
  http_result get_reply(const std::string& bytes, raw_reply::then after = raw_reply::then::close) {
    server.always(raw_reply(bytes, after));
    options.client.retry.max_attempts = 1;
    connect();
    return get();
  }
  /// Whether the client goes on using a connection after a reply.
  bool is_kept_after(const std::string& bytes,
                     const std::string& expected_body,
                     const std::string& method = "GET") {
    client.reset();
    server.next(raw_reply(bytes));
    connect();
    const http_result first = send(http_request(method, "/"));
    EXPECT_FALSE(first.error) << first.error.message();
    EXPECT_EQ(first.response.body, expected_body);
    const auto before = server.accepted();
    EXPECT_FALSE(get().error);
    return server.accepted() == before;
  }

  boost::asio::io_context io;
  raw_http_server server{io};
  raw_http_server other{io};
  http_options options;
  std::optional<http_client> client;
};

}  // namespace redial::inline REDIAL_ABI::testing
