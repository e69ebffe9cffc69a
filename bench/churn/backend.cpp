// SPDX-License-Identifier: Apache-2.0
#include "churn/backend.hpp"

#include <redial/core/address.hpp>

#include "churn/recorder.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace redial::churn {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

constexpr int inherited_fd = 3;

// `/redial/17` as its two parts.
std::optional<log_line> parse_path(std::string_view path) {
  const auto slash = path.rfind('/');
  if (path.empty() || path.front() != '/' || slash == 0 || slash == path.npos) return std::nullopt;
  log_line line;
  line.contestant = path.substr(1, slash - 1);
  const auto id = path.substr(slash + 1);
  const auto [end, ec] = std::from_chars(id.data(), id.data() + id.size(), line.id);
  if (ec != std::errc{} || end != id.data() + id.size()) return std::nullopt;
  return line;
}

class request_log {
 public:
  explicit request_log(const std::string& path)
      : fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), path);
  }
  ~request_log() { ::close(fd_); }
  request_log(const request_log&) = delete;
  request_log& operator=(const request_log&) = delete;

  void write(const log_line& line) const {
    const auto text = to_string(line);
    if (::write(fd_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
      throw std::system_error(errno, std::generic_category(), "request log");
    }
  }

 private:
  int fd_;
};

struct service {
  service(const backend_options& o) : options(o), log(o.log) {}

  duration time_for(std::uint64_t id) const {
    // Fibonacci hashing: neighbours get unlike times.
    const auto mixed = (id * 11400714819323198485ULL) >> 32;
    return options.service_time / 2 + options.service_time * static_cast<long>(mixed % 1000) / 1000;
  }

  const backend_options& options;
  request_log log;
};

class session : public std::enable_shared_from_this<session> {
 public:
  session(tcp::socket socket, const service& s)
      : socket_(std::move(socket)), timer_(socket_.get_executor()), service_(s) {}

  void read() {
    request_ = {};
    http::async_read(socket_, buffer_, request_, [self = shared_from_this()](auto ec, std::size_t) {
      if (!ec) self->serve();
    });
  }

 private:
  void serve() {
    const auto target = request_.target();
    auto line = parse_path(std::string_view(target.data(), target.size()));
    if (!line) {
      respond(http::status::not_found, "");
      return;
    }
    line->at = clock::now();
    service_.log.write(*line);
    timer_.expires_after(service_.time_for(line->id));
    timer_.async_wait([self = shared_from_this()](auto) {
      self->respond(http::status::ok, self->service_.options.name);
    });
  }

  void respond(http::status status, std::string body) {
    response_ = {status, request_.version()};
    response_.set(http::field::content_type, "text/plain");
    response_.keep_alive(request_.keep_alive());
    response_.body() = std::move(body);
    response_.prepare_payload();
    http::async_write(socket_, response_, [self = shared_from_this()](auto ec, std::size_t) {
      if (!ec && self->response_.keep_alive()) self->read();
    });
  }

  tcp::socket socket_;
  asio::steady_timer timer_;
  const service& service_;
  beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  http::response<http::string_body> response_;
};

void accept(tcp::acceptor& acceptor, const service& s) {
  acceptor.async_accept([&](auto ec, tcp::socket socket) {
    if (!ec) {
      boost::system::error_code ignored;
      (void)socket.set_option(tcp::no_delay(true), ignored);
      std::make_shared<session>(std::move(socket), s)->read();
    }
    accept(acceptor, s);
  });
}

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
void drop_inherited(int ready_fd) {
  if (ready_fd == inherited_fd) {
    [[maybe_unused]] const auto done = ::syscall(SYS_close_range, inherited_fd + 1, ~0U, 0U);
  }
}

}  // namespace

int run_backend(const backend_options& options) {
  die_with(options.parent);
  drop_inherited(options.ready_fd);
  try {
    const service s(options);
    asio::io_context io(1);
    // Bound while connections of a killed predecessor still linger: Asio sets SO_REUSEADDR.
    tcp::acceptor acceptor(io, parse_listen(options.listen));
    accept(acceptor, s);
    tell(options.ready_fd, "ready");
    io.run();
    return 0;
  } catch (const std::exception& e) {
    tell(options.ready_fd, e.what());
    std::fprintf(stderr, "backend %s: %s\n", options.name.c_str(), e.what());
    return 1;
  }
}

}  // namespace redial::churn
