// SPDX-License-Identifier: Apache-2.0
#pragma once

// What came of opening a connection, and what this process holds open.

#include <redial/net/net_connection.hpp>
#include <redial/ports/connector.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <filesystem>
#include <iterator>
#include <memory>
#include <utility>

namespace redial::inline REDIAL_ABI::testing {

/// One `connector::open` and how it ended.
struct opened {
  int completions = 0;
  error_code error;
  std::unique_ptr<pooled_connection> connection;
  std::shared_ptr<connect_operation> operation;

  [[nodiscard]] bool is_done() const noexcept { return completions != 0; }
  [[nodiscard]] net_connection& net() const { return static_cast<net_connection&>(*connection); }
};

/// Starts opening a connection.
[[nodiscard]] inline std::shared_ptr<opened> open(
    connector& with,
    boost::asio::io_context& io,
    endpoint where,
    std::chrono::milliseconds patience = std::chrono::seconds{30}) {
  auto result = std::make_shared<opened>();
  connect_request request;
  request.where = std::move(where);
  request.deadline = clock::now() + patience;
  request.executor = io.get_executor();
  // Weak: an operation that ends with its context must not keep the result.
  result->operation = with.open(
      request,
      [weak = std::weak_ptr<opened>(result)](error_code ec, std::unique_ptr<pooled_connection> c) {
        const auto r = weak.lock();
        if (!r) return;
        ++r->completions;
        r->error = ec;
        r->connection = std::move(c);
      });
  return result;
}

/// Starts opening a connection to `port` on this machine.
[[nodiscard]] inline std::shared_ptr<opened> open(
    connector& with,
    boost::asio::io_context& io,
    std::uint16_t port,
    std::chrono::milliseconds patience = std::chrono::seconds{30}) {
  return open(with, io, endpoint(boost::asio::ip::address_v4::loopback(), port), patience);
}

/// File descriptors of this process.
[[nodiscard]] inline long open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return std::distance(begin(all), end(all));
}

/// A listener whose queue is full: it answers no more connection requests, like a dead machine.
class deaf_listener {
 public:
  explicit deaf_listener(boost::asio::io_context& io) : acceptor_(io), filler_(io) {
    const boost::asio::ip::tcp::endpoint any(boost::asio::ip::address_v4::loopback(), 0);
    acceptor_.open(any.protocol());
    acceptor_.bind(any);
    acceptor_.listen(0);
    filler_.connect(acceptor_.local_endpoint());
  }

  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::ip::tcp::socket filler_;
};

/// Counts notices of idle connections.
struct counting_observer final : idle_observer {
  void stirred() override { ++notices; }
  int notices = 0;
};

}  // namespace redial::inline REDIAL_ABI::testing
