// SPDX-License-Identifier: Apache-2.0
#pragma once

// A TCP connection being opened, and what comes after it.

#include <redial/net/tcp_options.hpp>
#include <redial/ports/connector.hpp>
#include <redial/ports/scheduler.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <memory>

namespace redial::inline REDIAL_ABI::detail {

/// \throws std::invalid_argument naming the option that is out of range.
void validate(const tcp_options& options);

/// Connects before a deadline and completes exactly once, on the strand of the connection.
///
/// States: posted, connecting, (TLS: handshaking), done. `give_up` leads from each to done.
///
/// Only its own pending handlers own it. Everybody else refers to it weakly, so that its socket
/// dies with the context, whoever still holds the operation.
class opening : public std::enable_shared_from_this<opening> {
 public:
  opening(const connect_request& request, const tcp_options& options, connector::handler done);
  virtual ~opening();
  opening(const opening&) = delete;
  opening& operator=(const opening&) = delete;

  void start();
  /// Closes what is open and completes with `ec` unless it is done. Any thread.
  void give_up(const error_code& ec) noexcept;

 protected:
  /// The socket is connected. Runs on the strand.
  virtual void connected(boost::asio::ip::tcp::socket socket) = 0;
  /// Closes what `connected` made of the socket.
  virtual void drop() noexcept {}

  [[nodiscard]] bool is_done() const noexcept { return !done_; }
  void finish(const error_code& ec, std::unique_ptr<pooled_connection> connection);
  [[nodiscard]] const connect_request& request() const noexcept { return request_; }

 private:
  void connect();
  void on_connected(error_code ec);
  void on_deadline();
  void set_options() noexcept;

  const connect_request request_;
  const tcp_options options_;
  connector::handler done_;
  std::shared_ptr<scheduler> scheduler_;
  member_timer<opening, &opening::on_deadline> timer_{*this};
  boost::asio::any_io_executor executor_;
  boost::asio::ip::tcp::socket socket_;
};

/// Starts `what` and returns the handle that cancels it.
[[nodiscard]] std::shared_ptr<connect_operation> started(const std::shared_ptr<opening>& what);

}  // namespace redial::inline REDIAL_ABI::detail
