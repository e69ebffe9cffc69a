// SPDX-License-Identifier: Apache-2.0
#pragma once

// The sockets and the thread of the test server. What is answered comes from a callback.

#include <redial/core/abi.hpp>

#include "testing/dns_zone.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/post.hpp>

#include <array>
#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <vector>

namespace redial::inline REDIAL_ABI::testing::detail {

struct tcp_client;

/// UDP and TCP on one port. All members but `on_thread`, `at`, `port`, `where` and the constructor
/// belong to the thread.
class dns_sockets {
 public:
  using answerer =
      std::function<reply_plan(const dns_bytes& query, bool over_tcp, std::uint16_t peer_port)>;

  dns_sockets(const address& where, std::uint16_t port, answerer answer);
  ~dns_sockets();
  dns_sockets(const dns_sockets&) = delete;
  dns_sockets& operator=(const dns_sockets&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] const address& where() const noexcept { return address_; }

  /// Runs `f` on the thread and waits for it; what it throws is thrown here.
  template <class F>
  void on_thread(F f) {
    if (std::this_thread::get_id() == thread_.get_id()) return f();
    std::packaged_task<void()> task{std::move(f)};
    auto done = task.get_future();
    boost::asio::post(io_, std::move(task));
    done.get();
  }
  void at(time_point when, std::function<void()> f);

  void set_tcp(tcp_manner manner);
  void stop();
  void start();

 private:
  using tcp_client_ptr = std::shared_ptr<tcp_client>;

  void open_first(std::uint16_t wanted);
  void open_udp();
  void listen();
  void close_tcp();
  void receive();
  void on_datagram(const dns_bytes& bytes);
  void send(const boost::asio::ip::udp::endpoint& to, const std::vector<dns_bytes>& datagrams);
  void accept();
  void read_length(tcp_client_ptr c);
  void read_query(tcp_client_ptr c);
  void answer_client(const tcp_client_ptr& c);
  void write(tcp_client_ptr c);
  void drip(tcp_client_ptr c);

  const address address_;
  std::uint16_t port_ = 0;
  answerer answer_;

  // Before every I/O object, so that it is destroyed after them.
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::ip::udp::socket udp_{io_};
  boost::asio::ip::tcp::acceptor acceptor_{io_};
  std::vector<std::weak_ptr<tcp_client>> clients_;
  std::array<std::uint8_t, 65536> datagram_{};
  boost::asio::ip::udp::endpoint from_;
  tcp_manner tcp_manner_ = tcp_manner::serve;
  bool running_ = false;
  unsigned opening_ = 0;  // counts `open_udp`

  std::thread thread_;  // last: everything above exists before it starts
};

}  // namespace redial::inline REDIAL_ABI::testing::detail
