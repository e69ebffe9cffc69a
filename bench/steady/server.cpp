// SPDX-License-Identifier: Apache-2.0
#include "steady/server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <system_error>

namespace redial::steady {

namespace {

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error("server: " + what + ": " + std::generic_category().message(errno));
}

int listening_socket(std::uint16_t& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  auto* const generic = reinterpret_cast<sockaddr*>(&where);  // NOLINT: how sockets are addressed
  if (::bind(fd, generic, size) != 0) fail("bind");
  if (::listen(fd, 1024) != 0) fail("listen");
  if (::getsockname(fd, generic, &size) != 0) fail("getsockname");
  port = ntohs(where.sin_port);
  return fd;
}

struct free_ssl {
  void operator()(SSL* s) const noexcept { SSL_free(s); }
  void operator()(SSL_CTX* c) const noexcept { SSL_CTX_free(c); }
};

std::unique_ptr<SSL_CTX, free_ssl> tls_context(const std::string& certificate,
                                               const std::string& key) {
  std::unique_ptr<SSL_CTX, free_ssl> c(SSL_CTX_new(TLS_server_method()));
  if (!c || SSL_CTX_use_certificate_chain_file(c.get(), certificate.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(c.get(), key.c_str(), SSL_FILETYPE_PEM) != 1) {
    throw std::runtime_error("server: no certificate from " + certificate);
  }
  return c;
}

struct peer {
  int fd = -1;
  std::unique_ptr<SSL, free_ssl> tls;
  std::size_t end_seen = 0;  // of the head's "\r\n\r\n"
};

/// Answers are small and the peer reads them before it asks again, so a write never blocks.
class loop {
 public:
  loop(int listener, protocol what, SSL_CTX* tls)
      : listener_(listener), what_(what), tls_(tls), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}

  [[noreturn]] void run() {
    watch(listener_, nullptr);
    std::array<epoll_event, 256> events;  // NOLINT: filled in by the system
    for (;;) {
      const int n = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < n; ++i) {
        auto* const p = static_cast<peer*>(events[static_cast<std::size_t>(i)].data.ptr);
        p == nullptr ? accept() : serve(p);
      }
    }
  }

 private:
  void watch(int fd, peer* p) const {
    epoll_event e{};
    e.events = EPOLLIN;
    e.data.ptr = p;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &e);
  }

  void accept() {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    const int yes = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    auto p = std::make_unique<peer>();
    p->fd = fd;
    if (tls_ != nullptr) {
      p->tls.reset(SSL_new(tls_));
      SSL_set_fd(p->tls.get(), fd);
      SSL_set_accept_state(p->tls.get());
    }
    watch(fd, p.release());
  }

  static long read(const peer& p, std::array<char, 4096>& into) {
    if (!p.tls) return ::recv(p.fd, into.data(), into.size(), 0);
    ERR_clear_error();
    const int n = SSL_read(p.tls.get(), into.data(), static_cast<int>(into.size()));
    if (n > 0) return n;
    const int why = SSL_get_error(p.tls.get(), n);
    errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN : EIO;
    return -1;
  }

  static void write(const peer& p, std::string_view text) {
    if (p.tls) {
      (void)SSL_write(p.tls.get(), text.data(), static_cast<int>(text.size()));
    } else {
      (void)::send(p.fd, text.data(), text.size(), MSG_NOSIGNAL);
    }
  }

  void serve(peer* p) const {
    std::array<char, 4096> bytes;  // NOLINT: read into
    const long n = read(*p, bytes);
    if (n <= 0) {
      if (n < 0 && errno == EAGAIN) return;
      ::close(p->fd);
      delete p;  // NOLINT: epoll is what owned it
      return;
    }
    const std::string_view got(bytes.data(), static_cast<std::size_t>(n));
    if (what_ == protocol::echo) return write(*p, got);
    constexpr std::string_view end = "\r\n\r\n";
    for (const char c : got) {
      p->end_seen = c == end[p->end_seen] ? p->end_seen + 1 : (c == '\r' ? 1 : 0);
      if (p->end_seen < end.size()) continue;
      p->end_seen = 0;
      write(*p, response_bytes());
    }
  }

  const int listener_;
  const protocol what_;
  SSL_CTX* const tls_;
  const int epoll_;
};

}  // namespace

const std::string& response_bytes() {
  static const std::string bytes =
      "HTTP/1.1 200 OK\r\n"
      "Server: steady\r\n"
      "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
      "Content-Type: application/json\r\n"
      "Content-Length: " +
      std::to_string(body_bytes) +
      "\r\n"
      "Cache-Control: no-store\r\n"
      "X-Request-Id: 0123456789abcdef0123456789abcdef\r\n"
      "\r\n" +
      std::string(body_bytes, 'x');
  return bytes;
}

server::server(protocol what, const std::string& certificate, const std::string& key) {
  const int listener = listening_socket(port_);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) fail("fork");
  if (pid_ > 0) {
    ::close(listener);
    return;
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) std::_Exit(0);
  try {
    const auto tls = what == protocol::https ? tls_context(certificate, key) : nullptr;
    loop(listener, what, tls.get()).run();
  } catch (...) {
    std::_Exit(1);  // whoever connects will see it
  }
}

server::~server() {
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace redial::steady
