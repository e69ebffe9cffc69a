// SPDX-License-Identifier: Apache-2.0
// Nobody's descriptors but our own. A thread opens, checks and closes descriptors all the while, so
// that every number that redial or c-ares closes late, or twice, is one of the thread's by then.

#include <redial/client/stream_clients.hpp>
#include <redial/discovery/discovery.hpp>
#include <redial/testing/dns_server.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <deque>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;

/// Two ends of a pipe or of a socket pair, known by their inodes.
class own_pair {
 public:
  explicit own_pair(bool sockets) {
    const int failed = sockets ? ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_.data())
                               : ::pipe2(ends_.data(), O_CLOEXEC);
    if (failed != 0) {
      complaint_ = std::string("cannot open: ") + std::strerror(errno);
      return;
    }
    for (std::size_t i = 0; i < 2; ++i) inodes_[i] = inode(ends_[i]);
  }

  /// Empty when both are still what they were, and nobody else has written into them.
  [[nodiscard]] std::string check_and_close() {
    if (!complaint_.empty()) return complaint_;
    for (std::size_t i = 0; i < 2; ++i) {
      if (inode(ends_[i]) != inodes_[i]) complain(ends_[i], "is another file");
    }
    const char sent = 'x';
    std::array<char, 8> got{};
    if (::write(ends_[1], &sent, 1) != 1) complain(ends_[1], "cannot be written");
    if (complaint_.empty() && (::read(ends_[0], got.data(), got.size()) != 1 || got[0] != sent)) {
      complain(ends_[0], "does not give the one byte back");
    }
    for (const int fd : ends_) {
      if (::close(fd) != 0) complain(fd, "cannot be closed");
    }
    return complaint_;
  }

 private:
  static ino_t inode(int fd) {
    struct stat s {};
    return ::fstat(fd, &s) == 0 ? s.st_ino : 0;
  }
  void complain(int fd, const char* what) {
    complaint_ += "descriptor " + std::to_string(fd) + " " + what + ": " + std::strerror(errno);
  }

  std::array<int, 2> ends_{-1, -1};
  std::array<ino_t, 2> inodes_{};
  std::string complaint_;
};

/// The thread.
class bystander {
 public:
  bystander() : thread_([this] { run(); }) {}
  void stop() {
    done_ = true;
    if (thread_.joinable()) thread_.join();
  }
  ~bystander() { stop(); }

  [[nodiscard]] const std::vector<std::string>& complaints() const { return complaints_; }
  [[nodiscard]] std::size_t checked() const noexcept { return checked_; }

 private:
  void run() {
    std::deque<own_pair> open;
    for (std::size_t i = 0; i < 2'000'000 && !done_ && complaints_.size() < 10; ++i) {
      open.emplace_back(i % 2 == 0);
      if (open.size() > 12) end(open);
    }
    while (!open.empty()) end(open);
  }
  void end(std::deque<own_pair>& open) {
    if (auto bad = open.front().check_and_close(); !bad.empty()) complaints_.push_back(bad);
    open.pop_front();
    ++checked_;
  }

  std::atomic<bool> done_{false};
  std::size_t checked_ = 0;
  std::vector<std::string> complaints_;
  std::thread thread_;
};

/// Peers on four loopback addresses that echo, hang up, reset or say nothing, in turn.
class fickle_server {
 public:
  fickle_server() {
    for (int i = 0; i < 4; ++i) {
      const auto address = asio::ip::make_address_v4(0x7F000002U + static_cast<unsigned>(i));
      acceptors_.emplace_back(io_, tcp::endpoint(address, i == 0 ? 0 : port()));
    }
    for (auto& a : acceptors_) accept(a);
    thread_ = std::thread([this] { io_.run(); });
  }
  ~fickle_server() {
    io_.stop();
    thread_.join();
  }
  [[nodiscard]] std::uint16_t port() const { return acceptors_.front().local_endpoint().port(); }
  [[nodiscard]] std::size_t accepted() const noexcept { return count_; }

 private:
  struct session {
    explicit session(tcp::socket s) : socket(std::move(s)) {}
    tcp::socket socket;
    std::array<char, 1> byte{};
  };

  void accept(tcp::acceptor& a) {
    a.async_accept([this, &a](error_code ec, tcp::socket s) {
      if (ec) return;
      serve(std::make_shared<session>(std::move(s)));
      accept(a);
    });
  }
  void serve(const std::shared_ptr<session>& s) {
    mute_.push_back(s);
    if (mute_.size() > 64) mute_.pop_front();
    asio::async_read(s->socket, asio::buffer(s->byte), [this, s](error_code ec, std::size_t) {
      if (ec) return;
      switch (count_++ % 6) {
        case 0:
          return;  // silence
        case 1:
          s->socket.close(ec);
          return;
        case 2:
          s->socket.set_option(asio::socket_base::linger(true, 0), ec);
          s->socket.close(ec);
          return;
        default:
          asio::async_write(s->socket, asio::buffer(s->byte), [this, s](error_code e, std::size_t) {
            if (!e) serve(s);
          });
      }
    });
  }

  asio::io_context io_;
  std::deque<tcp::acceptor> acceptors_;
  std::deque<std::shared_ptr<session>> mute_;
  std::atomic<std::size_t> count_{0};
  std::thread thread_;
};

/// Writes a byte and reads it back.
struct echo {
  void operator()(attempt&, tcp_connection& c, operation_handler done) const {
    auto byte = std::make_shared<std::array<char, 1>>();
    auto& stream = c.stream();
    const auto slot = done.get_cancellation_slot();
    const auto executor = done.get_executor();
    auto finish = std::make_shared<operation_handler>(std::move(done));
    asio::async_write(
        stream,
        asio::buffer(*byte),
        asio::bind_executor(
            executor, [&stream, byte, finish, slot, executor](error_code ec, std::size_t) {
              if (ec) return (*finish)(ec);
              asio::async_read(
                  stream,
                  asio::buffer(*byte),
                  asio::bind_cancellation_slot(
                      slot,
                      asio::bind_executor(
                          executor, [byte, finish](error_code e, std::size_t) { (*finish)(e); })));
            }));
  }
};

/// A context, a discovery and a client of its own, ended in a way that depends on `round`.
void one_round(int round, const dns_server& dns, std::uint16_t port, std::size_t& completed) {
  constexpr int calls = 12;
  std::deque<asio::cancellation_signal> signals(calls);
  {
    auto own = std::make_optional<asio::io_context>();
    asio::io_context& io = *own;
    discovery_options d;
    d.nameservers = {dns.address()};
    d.hosts_path = "";
    d.query_timeout = 500ms;
    auto names = discovery::create(io.get_executor(), d);
    client_options o;
    o.pool.max_connections = 3;
    o.pool.connect_timeout = 200ms;
    o.pool.min_reset_interval = 0s;
    o.retry.delay = 2ms;
    o.attempt_timeout = 10ms;
    const std::string name = round % 5 == 4 ? "silent.test" : "api.test";
    auto client = std::make_optional(make_tcp_client(
        io.get_executor(), names, target("tcp://" + name + ":" + std::to_string(port)), o));
    int over = 0;
    for (auto& s : signals) {
      client->async_call(echo{},
                         call_options(60ms).idempotent(),
                         asio::bind_cancellation_slot(s.slot(), [&](error_code, call_history) {
                           ++over;
                           ++completed;
                         }));
    }
    const auto until = clock::now() + 10s;
    const int some = round % 3 == 0 ? 1 : calls / 2;
    if (round % 7 != 6) {
      while (over < some && io.run_one_until(until) > 0) {
      }
    }
    if (round % 4 == 1) client->reset();
    if (round % 4 == 2) {
      for (auto& s : signals) s.emit(asio::cancellation_type::terminal);
    }
    switch (round % 6) {
      case 0:
        client.reset();
        names->close();
        io.run();
        break;
      case 1:
        names.reset();
        client->close();
        io.run();
        break;
      case 2:
        io.poll();
        own.reset();  // the context goes first
        break;
      case 3:
        client->async_drain(clock::now() + 30ms, [&](error_code) { names->close(); });
        io.run();
        break;
      case 4:
        while (over < calls && io.run_one_until(until) > 0) {
        }
        client.reset();
        break;
      default:
        client.reset();
        break;
    }
  }
}

long open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return std::distance(begin(all), end(all));
}

TEST(FdReuse, NoForeignDescriptorIsEverClosedOrWritten) {
  dns_server dns;
  fickle_server peers;
  dns.set("api.test", record_type::a, {"127.0.0.2", "127.0.0.3"}, 1s);
  dns_manner mute;
  mute.drop = true;
  dns.behave("silent.test", mute);
  std::size_t completed = 0;
  long left_over = 0;
  std::size_t checked = 0;
  std::vector<std::string> complaints;
  {
    one_round(0, dns, peers.port(), completed);  // whatever is opened once and kept
    const long before = open_descriptors();
    {
      bystander thread;
      for (int round = 0; round < 84; ++round) {
        const int last = 2 + round % 4;
        dns.set("api.test", record_type::a, {"127.0.0." + std::to_string(last), "127.0.0.5"}, 1s);
        one_round(round, dns, peers.port(), completed);
      }
      thread.stop();
      checked = thread.checked();
      complaints = thread.complaints();
    }
    left_over = open_descriptors() - before;
  }
  for (const auto& c : complaints) ADD_FAILURE() << c;
  EXPECT_GT(checked, 1000U);
  EXPECT_GT(completed, 300U);
  EXPECT_GT(peers.accepted(), 50U);
  EXPECT_LE(left_over, 64) << "all but what the server still holds for its silent peers";
  std::printf("%zu pairs checked beside %zu calls\n", checked, completed);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
