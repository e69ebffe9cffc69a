// SPDX-License-Identifier: Apache-2.0
#include "churn/backend.hpp"

#include <redial/core/address.hpp>

#include "churn/backend_service.hpp"
#include "churn/backend_session.hpp"

#ifdef REDIAL_CHURN_GRPC
#include "churn/backend_grpc.hpp"
#endif

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/context.hpp>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace redial::churn {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr int first_inherited_fd = 3;

tcp::endpoint parse_listen(const std::string& text) {
  const auto colon = text.rfind(':');
  unsigned port = 0;
  if (colon != text.npos) {
    const auto* end = text.data() + text.size();
    const auto [stop, ec] = std::from_chars(text.data() + colon + 1, end, port);
    if (ec == std::errc{} && stop == end && port <= 65535) {
      return {asio::ip::make_address(text.substr(0, colon)), static_cast<std::uint16_t>(port)};
    }
  }
  throw std::invalid_argument("--listen: address:port, not '" + text + "'");
}

// The HTTP side of a backend.
class http_server {
 public:
  explicit http_server(backend_service& service) : service_(service), control_(io_) {
    const auto& o = service_.options();
    if (!o.certificate.empty()) {
      auto& tls = tls_.emplace(asio::ssl::context::tls_server);
      tls.use_certificate_chain_file(o.certificate);
      tls.use_private_key_file(o.private_key, asio::ssl::context::pem);
    }
    // Bound while connections of a killed predecessor still linger: Asio sets SO_REUSEADDR.
    for (const auto& where : o.listen) accept(acceptors_.emplace_back(io_, parse_listen(where)));
    if (o.control_fd < 0) return;
    control_.assign(o.control_fd);
    await_command();
  }

  void run() { io_.run(); }

 private:
  void accept(tcp::acceptor& acceptor) {
    acceptor.async_accept([this, &acceptor](auto ec, tcp::socket socket) {
      if (!ec) {
        serve_connection(std::move(socket), tls_ ? &*tls_ : nullptr, service_, sessions_);
      }
      accept(acceptor);
    });
  }

  void await_command() {
    asio::async_read_until(
        control_, asio::dynamic_buffer(commands_), '\n', [this](auto ec, std::size_t length) {
          if (ec) return;
          const bool known = obey(std::string_view(commands_).substr(0, length - 1));
          commands_.erase(0, length);
          boost::system::error_code ignored;
          (void)control_.write_some(asio::buffer(known ? "ok\n" : "no\n", 3), ignored);
          await_command();
        });
  }

  bool obey(std::string_view command) {
    constexpr std::string_view set_manner = "manner ";
    if (command == "reset") {
      for (auto* s : sessions_) s->reset();
      return true;
    }
    if (command.substr(0, set_manner.size()) != set_manner) return false;
    const auto m = parse_manner(command.substr(set_manner.size()));
    if (m) service_.behave(*m);
    return m.has_value();
  }

  backend_service& service_;
  backend_sessions sessions_;  // above the io_context, whose handlers own them
  asio::io_context io_{1};
  std::optional<asio::ssl::context> tls_;
  std::list<tcp::acceptor> acceptors_;
  asio::posix::stream_descriptor control_;
  std::string commands_;
};

void tell(int fd, const std::string& text) {
  if (fd < 0) return;
  const auto line = text + "\n";
  // Nobody to tell when the parent is gone; then there is no need either.
  [[maybe_unused]] const auto written = ::write(fd, line.data(), line.size());
  ::close(fd);
}

// Does not outlive the harness, whatever becomes of it.
void die_with(int parent) {
  if (parent == 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);  // it died before we asked
}

// The harness's sockets, which Asio opens inheritable: a copy here would keep a connection open
// that the client has closed.
void drop_inherited(const backend_options& options) {
  if (options.ready_fd < first_inherited_fd) return;
  const auto last = static_cast<unsigned>(std::max(options.ready_fd, options.control_fd));
  [[maybe_unused]] const auto done = ::syscall(SYS_close_range, last + 1, ~0U, 0U);
}

#ifndef REDIAL_CHURN_GRPC
class grpc_backend {
 public:
  explicit grpc_backend(const backend_service& service) {
    const auto& o = service.options();
    if (o.grpc_port != 0 || o.grpc_aged_port != 0) throw std::invalid_argument("no gRPC built in");
  }
};
#endif

}  // namespace

int run_backend(const backend_options& options) {
  die_with(options.parent);
  drop_inherited(options);
  try {
    backend_service service(options);
    http_server server(service);
    const grpc_backend grpc(service);
    tell(options.ready_fd, "ready");
    server.run();
    return 0;
  } catch (const std::exception& e) {
    tell(options.ready_fd, e.what());
    std::fprintf(stderr, "backend %s: %s\n", options.name.c_str(), e.what());
    return 1;
  }
}

bool backends_speak_grpc() noexcept {
#ifdef REDIAL_CHURN_GRPC
  return true;
#else
  return false;
#endif
}

}  // namespace redial::churn
