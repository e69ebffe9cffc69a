// SPDX-License-Identifier: Apache-2.0
#include "support/backend_process.hpp"

#include "support/backend_host.hpp"
#include "support/own_network.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

// So that several requests are in flight at any time, at a rate that one processor bears.
constexpr std::chrono::milliseconds service_time{20};

/// What sessions share.
struct figures {
  std::string service;
  backend_manner manner = backend_manner::serve;
  std::size_t requests = 0;
  std::size_t accepted = 0;
};

template <class Stream>
class session : public std::enable_shared_from_this<session<Stream>> {
 public:
  session(figures& f, Stream stream)
      : figures_(f), stream_(std::move(stream)), work_(stream_.get_executor()) {}

  void begin() {
    if constexpr (std::is_same_v<Stream, tcp::socket>) {
      read();
    } else {
      stream_.async_handshake(asio::ssl::stream_base::server,
                              [self = this->shared_from_this()](auto ec) {
                                if (!ec) self->read();
                              });
    }
  }
  void close() {
    boost::system::error_code ignored;
    stream_.lowest_layer().close(ignored);
  }

 private:
  void read() {
    asio::async_read_until(stream_,
                           asio::dynamic_buffer(in_),
                           "\r\n\r\n",
                           [self = this->shared_from_this()](auto ec, std::size_t n) {
                             if (ec) return self->close();
                             const bool asks_who = self->in_.rfind("GET /who ", 0) == 0;
                             self->in_.erase(0, n);
                             self->answer(asks_who);
                           });
  }
  void answer(bool asks_who) {
    if (!asks_who) ++figures_.requests;
    if (figures_.manner == backend_manner::mute) return read();
    work_.expires_after(service_time);
    work_.async_wait([self = this->shared_from_this()](auto) { self->write(); });
  }
  void write() {
    const bool serves = figures_.manner == backend_manner::serve;
    reply_ = serves ? "HTTP/1.1 200 OK\r\n" : "HTTP/1.1 503 Service Unavailable\r\n";
    reply_ += "Content-Length: 0\r\nService: " + figures_.service + "\r\n\r\n";
    asio::async_write(
        stream_, asio::buffer(reply_), [self = this->shared_from_this()](auto ec, std::size_t) {
          if (ec) return self->close();
          self->read();
        });
  }

  figures& figures_;
  Stream stream_;
  asio::steady_timer work_;
  std::string in_;
  std::string reply_;
};

}  // namespace

class backend_process::state {
 public:
  state(int control,
        std::uint16_t port,
        const std::string& service,
        const std::optional<certificate_files>& tls)
      : control_(io_, asio::local::stream_protocol(), control), port_(port), acceptor_(io_) {
    if (tls) {
      tls_.emplace(asio::ssl::context::tls_server);
      tls_->use_certificate_chain_file(tls->certificate);
      tls_->use_private_key_file(tls->private_key, asio::ssl::context::pem);
    }
    figures_.service = service;
    start();
    say("ready");
    listen();
  }

  void run() { io_.run(); }

 private:
  void listen() {
    asio::async_read_until(control_, asio::dynamic_buffer(in_), '\n', [this](auto ec, auto n) {
      if (ec) return io_.stop();
      const std::string line = in_.substr(0, n - 1);
      in_.erase(0, n);
      obey(line);
      listen();
    });
  }
  void say(const std::string& what) { asio::write(control_, asio::buffer(what + "\n")); }

  void obey(const std::string& line) {
    try {
      say(do_it(line));
    } catch (const std::exception& e) {
      say(std::string("!") + e.what());
    }
  }
  std::string do_it(const std::string& line) {
    if (line.rfind("run ", 0) == 0) {
      run_command(line.substr(4));
    } else if (line.rfind("behave ", 0) == 0) {
      figures_.manner = static_cast<backend_manner>(std::stoi(line.substr(7)));
    } else if (line == "stop") {
      stop();
    } else if (line == "start") {
      start();
    } else if (line == "black_hole") {
      filter_packets_to("0.0.0.0/0", port_, packet_fate::drop);
    } else if (line == "requests") {
      return std::to_string(figures_.requests);
    } else if (line == "accepted") {
      return std::to_string(figures_.accepted);
    } else {
      throw std::invalid_argument("unknown order: " + line);
    }
    return "done";
  }

  void start() {
    if (acceptor_.is_open()) return;
    acceptor_.open(tcp::v4());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.bind({tcp::v4(), port_});
    acceptor_.listen();
    accept();
  }
  void stop() {
    acceptor_.close();
    for (const auto& close : closers_) close();
    closers_.clear();
  }
  void accept() {
    acceptor_.async_accept([this](auto ec, tcp::socket socket) {
      if (ec) return;  // closed
      ++figures_.accepted;
      boost::system::error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      if (tls_) {
        begin(asio::ssl::stream<tcp::socket>(std::move(socket), *tls_));
      } else {
        begin(std::move(socket));
      }
      accept();
    });
  }
  template <class Stream>
  void begin(Stream stream) {
    const auto s = std::make_shared<session<Stream>>(figures_, std::move(stream));
    closers_.push_back([weak = std::weak_ptr(s)] {
      if (const auto held = weak.lock()) held->close();
    });
    s->begin();
  }

  asio::io_context io_{1};
  asio::local::stream_protocol::socket control_;
  std::uint16_t port_;
  tcp::acceptor acceptor_;
  std::optional<asio::ssl::context> tls_;
  figures figures_;
  std::string in_;
  std::vector<std::function<void()>> closers_;
};

backend_process::backend_process(int control,
                                 std::uint16_t port,
                                 const std::string& service,
                                 const std::optional<certificate_files>& tls)
    : state_(std::make_unique<state>(control, port, service, tls)) {}
backend_process::~backend_process() = default;
void backend_process::run() { state_->run(); }

}  // namespace redial::inline REDIAL_ABI::testing
