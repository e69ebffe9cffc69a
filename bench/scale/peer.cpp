// SPDX-License-Identifier: Apache-2.0
#include "scale/peer.hpp"

#include <redial/testing/certificates.hpp>
#include <redial/testing/dns_server.hpp>

#include "support/interruption.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <fmt/core.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

namespace redial::bench {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

std::string address_of(std::size_t i) { return fmt::format("127.1.{}.{}", i / 250, 1 + i % 250); }

/// Sends back what it reads until the other side closes.
template <class Stream>
class echo : public std::enable_shared_from_this<echo<Stream>> {
 public:
  template <class... Args>
  explicit echo(Args&&... args) : stream_(std::forward<Args>(args)...) {}
  void read() {
    stream_.async_read_some(asio::buffer(bytes_),
                            [self = this->shared_from_this()](error_code ec, std::size_t n) {
                              if (!ec) self->write(n);
                            });
  }
  void shake_hands() {
    stream_.async_handshake(asio::ssl::stream_base::server,
                            [self = this->shared_from_this()](error_code ec) {
                              if (!ec) self->read();
                            });
  }

 private:
  void write(std::size_t n) {
    asio::async_write(stream_,
                      asio::buffer(bytes_, n),
                      [self = this->shared_from_this()](error_code ec, std::size_t) {
                        if (!ec) self->read();
                      });
  }

  Stream stream_;
  std::array<char, 16> bytes_{};
};

class servers {
 public:
  explicit servers(asio::io_context& io) : io_(io), tls_(asio::ssl::context::tls_server) {
    const auto files = authority_.issue_for({"of-1.test"});
    tls_.use_certificate_chain_file(files.certificate);
    tls_.use_private_key_file(files.private_key, asio::ssl::context::pem);
  }

  /// On the same port of every address; another one is tried when somebody has it on one of them.
  std::uint16_t listen(std::size_t addresses, bool tls) {
    for (int attempt = 0;; ++attempt) {
      std::deque<tcp::acceptor> all;
      std::uint16_t port = 0;
      try {
        for (std::size_t i = 0; i < addresses; ++i) {
          all.emplace_back(io_, tcp::endpoint(asio::ip::make_address(address_of(i)), port));
          port = all.back().local_endpoint().port();
        }
      } catch (const boost::system::system_error&) {
        if (attempt == 20) throw;
        continue;
      }
      for (auto& a : all) accept(acceptors_.emplace_back(std::move(a)), tls);
      return port;
    }
  }
  [[nodiscard]] const std::string& ca_file() const { return authority_.ca_file(); }

 private:
  void accept(tcp::acceptor& a, bool tls) {
    a.async_accept([this, &a, tls](error_code ec, tcp::socket s) {
      if (ec) std::abort();  // out of descriptors: the measurement would be of something else
      s.set_option(tcp::no_delay(true), ec);
      if (tls) {
        std::make_shared<echo<asio::ssl::stream<tcp::socket>>>(std::move(s), tls_)->shake_hands();
      } else {
        std::make_shared<echo<tcp::socket>>(std::move(s))->read();
      }
      accept(a, tls);
    });
  }

  asio::io_context& io_;
  redial::testing::certificate_authority authority_;
  asio::ssl::context tls_;
  std::deque<tcp::acceptor> acceptors_;  // their addresses stay
};

struct introduction {
  peer::ports ports;
  std::array<char, 256> ca_file{};
};

void serve(std::size_t addresses, int lifeline, int report) {
  redial::testing::dns_server dns;
  std::vector<std::string> list;
  for (std::size_t i = 0, next = 1; i < addresses; ++i) {
    list.push_back(address_of(i));
    if (list.size() != next) continue;
    dns.set(fmt::format("of-{}.test", next), record_type::a, list);
    next *= 10;
  }
  asio::io_context io{1};
  servers all(io);
  introduction hello;
  hello.ports.tcp = all.listen(addresses, false);
  hello.ports.tls = all.listen(1, true);
  hello.ports.dns = dns.port();
  all.ca_file().copy(hello.ca_file.data(), hello.ca_file.size() - 1);
  if (::write(report, &hello, sizeof hello) != sizeof hello) return;
  ::close(report);
  asio::posix::stream_descriptor alive(io, lifeline);
  alive.async_wait(asio::posix::stream_descriptor::wait_read, [&io](error_code) { io.stop(); });
  io.run();
}

struct channel {
  channel() {
    if (::pipe(ends.data()) != 0) throw std::runtime_error("no pipe");
  }
  std::array<int, 2> ends{};
};

bool read_all(int fd, void* to, std::size_t n) {
  auto* at = static_cast<char*>(to);
  while (n > 0) {
    const auto got = ::read(fd, at, n);
    if (got <= 0) return false;
    at += got;
    n -= static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace

peer::peer(std::size_t addresses) {
  const channel lifeline;
  const channel report;
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("cannot fork");
  if (pid_ == 0) {
    // Ctrl-C is for the one that holds the lifeline: here there are files to put away.
    for (const int s : {SIGINT, SIGTERM, SIGHUP}) std::signal(s, SIG_IGN);
    ::close(lifeline.ends[1]);
    ::close(report.ends[0]);
    try {
      serve(addresses, lifeline.ends[0], report.ends[1]);
    } catch (const std::exception& e) {
      fmt::print(stderr, "the servers: {}\n", e.what());
    }
    ::_exit(0);
  }
  ::close(lifeline.ends[0]);
  ::close(report.ends[1]);
  lifeline_ = lifeline.ends[1];
  introduction hello;
  const bool heard = read_all(report.ends[0], &hello, sizeof hello);
  ::close(report.ends[0]);
  ports_ = hello.ports;
  ca_file_ = hello.ca_file.data();
  if (heard) return;
  ::close(lifeline_);
  ::waitpid(pid_, nullptr, 0);
  throw std::runtime_error("the servers did not come up");
}

peer::~peer() {
  ::close(lifeline_);
  ::waitpid(pid_, nullptr, 0);
}

std::string peer::name_server() const { return fmt::format("127.0.0.1:{}", ports_.dns); }

std::vector<double> in_a_process(const std::function<std::vector<double>()>& f) {
  end_if_interrupted();
  const channel report;
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error("cannot fork");
  if (pid == 0) {
    // Nobody would hear the result; and it holds the servers' lifeline, too.
    for (const int s : {SIGINT, SIGTERM, SIGHUP}) std::signal(s, SIG_DFL);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    try {
      const auto result = f();
      const auto bytes = result.size() * sizeof(double);
      ::_exit(::write(report.ends[1], result.data(), bytes) == static_cast<ssize_t>(bytes) ? 0 : 1);
    } catch (const std::exception& e) {
      fmt::print(stderr, "{}\n", e.what());
    }
    ::_exit(1);
  }
  ::close(report.ends[1]);
  std::vector<double> result;
  for (double d = 0; read_all(report.ends[0], &d, sizeof d);) result.push_back(d);
  ::close(report.ends[0]);
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (status != 0) throw std::runtime_error("a measurement failed");
  return result;
}

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

}  // namespace redial::bench
