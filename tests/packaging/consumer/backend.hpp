// SPDX-License-Identifier: Apache-2.0
#pragma once

// Somebody to talk to: answers so many requests, one after the other, each on a connection of its
// own.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>

#include <cstdint>
#include <string>
#include <thread>

class backend {
 public:
  explicit backend(int requests) : thread_([this, requests] { serve(requests); }) {}
  ~backend() { thread_.join(); }

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  using tcp = boost::asio::ip::tcp;

  void serve(int requests) {
    for (; requests > 0; --requests) {
      tcp::socket peer(io_);
      acceptor_.accept(peer);
      boost::asio::streambuf request;
      boost::asio::read_until(peer, request, "\r\n\r\n");
      boost::asio::write(peer,
                         boost::asio::buffer(std::string("HTTP/1.1 200 OK\r\nContent-Length: 18\r\n"
                                                         "Connection: close\r\n\r\n"
                                                         "hello, how are you")));
    }
  }

  boost::asio::io_context io_;
  tcp::acceptor acceptor_{io_, {boost::asio::ip::address_v4::loopback(), 0}};
  std::thread thread_;
};
