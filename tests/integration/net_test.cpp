// SPDX-License-Identifier: Apache-2.0
// TCP connections over loopback, and every way in which opening or keeping one can go wrong.
#include <redial/net/tcp_connection.hpp>
#include <redial/net/tcp_connector.hpp>
#include <redial/net/tls_connection.hpp>

#include "support/event_wait.hpp"
#include "support/opened.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace redial {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;
using testing::counting_observer;
using testing::deaf_listener;
using testing::open;
using testing::open_descriptors;
using testing::opened;
using testing::run_until;

class Tcp : public ::testing::Test {
 protected:
  Tcp() : acceptor_(*io_, {asio::ip::address_v4::loopback(), 0}) {}

  std::uint16_t port() { return acceptor_.local_endpoint().port(); }
  std::shared_ptr<opened> open_here(tcp_connector& c) { return open(c, *io_, port()); }
  /// An open connection, its other end in `peer_`.
  std::shared_ptr<opened> connected() {
    auto o = open_here(connector_);
    EXPECT_TRUE(run_until(*io_, [&] { return o->is_done(); }));
    EXPECT_EQ(o->error, error_code());
    peer_.emplace(acceptor_.accept());
    return o;
  }
  /// Destroys the context while `connector_` and connections live on.
  void destroy_context() {
    peer_.reset();
    acceptor_.close();
    // An acceptor belongs to its context; this one goes with it.
    acceptor_ = tcp::acceptor(other_io_);
    io_.reset();
  }

  asio::io_context other_io_;
  std::optional<asio::io_context> io_{std::in_place};
  tcp::acceptor acceptor_;
  std::optional<tcp::socket> peer_;
  tcp_connector connector_;
};

int integer_option(tcp_stream& s, int level, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  EXPECT_EQ(::getsockopt(s.native_handle(), level, name, &value, &size), 0);
  return value;
}

TEST_F(Tcp, OpensAConnectionAndSetsItsOptions) {
  tcp_options options;
  options.user_timeout = 12s;
  tcp_connector c(options);
  const auto o = open_here(c);
  EXPECT_EQ(o->completions, 0) << "inline";
  ASSERT_TRUE(run_until(*io_, [&] { return o->is_done(); }));
  ASSERT_EQ(o->error, error_code());
  auto* connection = dynamic_cast<tcp_connection*>(o->connection.get());
  ASSERT_NE(connection, nullptr);
  EXPECT_FALSE(connection->is_tls());
  tcp_stream& s = connection->stream();
  EXPECT_EQ(integer_option(s, IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(integer_option(s, SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(integer_option(s, IPPROTO_TCP, TCP_KEEPIDLE), 30);
  EXPECT_EQ(integer_option(s, IPPROTO_TCP, TCP_KEEPINTVL), 10);
  EXPECT_EQ(integer_option(s, IPPROTO_TCP, TCP_KEEPCNT), 3);
  EXPECT_EQ(integer_option(s, IPPROTO_TCP, TCP_USER_TIMEOUT), 12000);
  o->operation->cancel();
  io_->restart();
  io_->run();
  EXPECT_EQ(o->completions, 1);
  EXPECT_TRUE(s.is_open()) << "cancelled after completion";
}

TEST_F(Tcp, StreamIsCountedAndVisited) {
  const auto o = connected();
  net_connection& c = o->net();
  c.visit([](auto& stream) { asio::write(stream, asio::buffer("abc", 3)); });
  EXPECT_EQ(c.bytes_written(), 3U);
  asio::write(*peer_, asio::buffer("de", 2));
  std::array<char, 2> got{};
  c.visit([&](auto& stream) { asio::read(stream, asio::buffer(got)); });
  EXPECT_EQ(c.bytes_read(), 2U);
  detail::access::reset_counts(c);
  EXPECT_EQ(c.bytes_read() + c.bytes_written(), 0U);
}

TEST_F(Tcp, ConnectionHasAStrandUnlessTheExecutorIsOne) {
  const auto o = connected();
  EXPECT_NE(o->connection->get_executor(), asio::any_io_executor(io_->get_executor()));
  tcp_options options;
  options.strand_per_connection = false;
  tcp_connector plain(options);
  const auto p = open_here(plain);
  ASSERT_TRUE(run_until(*io_, [&] { return p->is_done(); }));
  EXPECT_EQ(p->connection->get_executor(), asio::any_io_executor(io_->get_executor()));
}

TEST_F(Tcp, Fault98_RefusedIsTheSystemsWord) {
  const std::uint16_t p = port();
  acceptor_.close();
  const auto o = open(connector_, *io_, p);
  ASSERT_TRUE(run_until(*io_, [&] { return o->is_done(); }));
  EXPECT_EQ(o->error, asio::error::connection_refused);
  EXPECT_TRUE(o->error == condition::retryable);
  EXPECT_EQ(o->connection, nullptr);
}

TEST_F(Tcp, Fault99_UnreachableIsTheSystemsWordAtOnce) {
  connect_request request;
  // Nobody can be connected to by TCP there, whatever the routes are.
  request.where = endpoint(asio::ip::make_address("224.0.0.1"), port());
  request.deadline = clock::now() + 30s;
  request.executor = io_->get_executor();
  std::optional<error_code> result;
  const auto operation = connector_.open(request, [&](error_code ec, auto) { result = ec; });
  ASSERT_TRUE(run_until(*io_, [&] { return result.has_value(); }));
  EXPECT_EQ(*result, asio::error::network_unreachable) << result->message();
  EXPECT_TRUE(*result == condition::retryable);
  EXPECT_FALSE(*result == condition::local_fault);
}

TEST_F(Tcp, Fault97_SilenceEndsAtTheDeadline) {
  const deaf_listener deaf(*io_);
  const long before = open_descriptors();
  const time_point start = clock::now();
  const auto o = open(connector_, *io_, deaf.port(), 60ms);
  ASSERT_TRUE(run_until(*io_, [&] { return o->is_done(); }));
  EXPECT_EQ(o->error, errc::connect_timeout);
  EXPECT_GE(clock::now() - start, 60ms);
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(Tcp, DeadlineAlreadyPastIsATimeout) {
  const auto o = open(connector_, *io_, port(), -1s);
  EXPECT_EQ(o->completions, 0) << "inline";
  ASSERT_TRUE(run_until(*io_, [&] { return o->is_done(); }));
  EXPECT_EQ(o->error, errc::connect_timeout);
}

TEST_F(Tcp, Fault126_CancelBeforeItBegins) {
  const long before = open_descriptors();
  const auto o = open_here(connector_);
  o->operation->cancel();
  o->operation->cancel();
  EXPECT_EQ(o->completions, 0) << "inline";
  io_->run();
  EXPECT_EQ(o->completions, 1);
  EXPECT_EQ(o->error, asio::error::operation_aborted);
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(Tcp, Fault126_CancelWhileConnecting) {
  const deaf_listener deaf(*io_);
  const long before = open_descriptors();
  const auto o = open(connector_, *io_, deaf.port());
  ASSERT_TRUE(run_until(*io_, [&] { return open_descriptors() > before; }));
  o->operation->cancel();
  o->operation->cancel();
  io_->restart();
  io_->run();
  EXPECT_EQ(o->completions, 1);
  EXPECT_EQ(o->error, asio::error::operation_aborted);
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(Tcp, Fault100_NoLocalAddressIsALocalFault) {
  tcp_options options;
  options.local_address = asio::ip::make_address("192.0.2.1");
  tcp_connector c(options);
  const auto o = open_here(c);
  ASSERT_TRUE(run_until(*io_, [&] { return o->is_done(); }));
  EXPECT_EQ(o->error, boost::system::errc::address_not_available);
  EXPECT_TRUE(o->error == condition::local_fault);
}

TEST_F(Tcp, LocalAddressIsUsed) {
  tcp_options options;
  options.local_address = asio::ip::make_address("127.0.0.9");
  tcp_connector c(options);
  const auto o = open_here(c);
  ASSERT_TRUE(run_until(*io_, [&] { return o->is_done(); }));
  EXPECT_EQ(acceptor_.accept().remote_endpoint().address(), *options.local_address);
}

TEST_F(Tcp, Fault101_NoDescriptorsIsALocalFaultAndPasses) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  rlimit none = limit;
  none.rlim_cur = 0;
  const auto o = open_here(connector_);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const bool done = run_until(*io_, [&] { return o->is_done(); });
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  ASSERT_TRUE(done);
  EXPECT_EQ(o->error, boost::system::errc::too_many_files_open);
  EXPECT_TRUE(o->error == condition::local_fault);
  (void)connected();
}

TEST_F(Tcp, Fault105_FinWhileIdleIsNoticed) {
  const auto o = connected();
  const auto observer = std::make_shared<counting_observer>();
  EXPECT_TRUE(o->connection->quiet());
  EXPECT_TRUE(o->connection->watch_idle(observer));
  EXPECT_EQ(observer->notices, 0);
  peer_->close();
  ASSERT_TRUE(run_until(*io_, [&] { return observer->notices == 1; }));
  EXPECT_FALSE(o->connection->quiet());
  EXPECT_EQ(o->connection->unquiet_reason(), close_reason::peer_closed);
}

TEST_F(Tcp, Fault109_BytesWhileIdleAreNoticed) {
  const auto o = connected();
  const auto observer = std::make_shared<counting_observer>();
  o->connection->watch_idle(observer);
  asio::write(*peer_, asio::buffer("x", 1));
  ASSERT_TRUE(run_until(*io_, [&] { return observer->notices == 1; }));
  EXPECT_FALSE(o->connection->quiet());
  EXPECT_EQ(o->connection->unquiet_reason(), close_reason::unexpected_bytes);
}

TEST_F(Tcp, BytesThatCameBeforeTheWatchAreNoticedToo) {
  const auto o = connected();
  asio::write(*peer_, asio::buffer("x", 1));
  const auto observer = std::make_shared<counting_observer>();
  o->connection->watch_idle(observer);
  EXPECT_EQ(observer->notices, 0) << "inline";
  ASSERT_TRUE(run_until(*io_, [&] { return observer->notices == 1; }));
}

TEST_F(Tcp, ResetWhileIdleIsNoticed) {
  const auto o = connected();
  const auto observer = std::make_shared<counting_observer>();
  o->connection->watch_idle(observer);
  peer_->set_option(asio::socket_base::linger(true, 0));
  peer_->close();
  ASSERT_TRUE(run_until(*io_, [&] { return observer->notices == 1; }));
  EXPECT_FALSE(o->connection->quiet());
  EXPECT_EQ(o->connection->unquiet_reason(), close_reason::peer_closed);
}

TEST_F(Tcp, WatchStaysArmedWhileLentAndIsArmedOnce) {
  const auto o = connected();
  const auto first = std::make_shared<counting_observer>();
  const auto second = std::make_shared<counting_observer>();
  o->connection->watch_idle(first);
  o->connection->watch_idle(second);
  // Lent: a read starts behind the armed wait, and both get their turn.
  std::array<char, 2> got{};
  std::size_t n = 0;
  o->net().visit([&](auto& s) {
    asio::async_read(s, asio::buffer(got), [&](auto, auto count) { n = count; });
  });
  asio::write(*peer_, asio::buffer("ab", 2));
  ASSERT_TRUE(run_until(*io_, [&] { return n == 2 && second->notices == 1; }));
  EXPECT_EQ(first->notices, 0);
  EXPECT_TRUE(o->connection->quiet());
  // Idle again.
  o->connection->watch_idle(first);
  peer_->close();
  ASSERT_TRUE(run_until(*io_, [&] { return first->notices == 1; }));
}

TEST_F(Tcp, CloseIsSilentAndIdempotent) {
  const long before = open_descriptors();
  auto o = connected();
  const auto observer = std::make_shared<counting_observer>();
  o->connection->watch_idle(observer);
  o->connection->close();
  o->connection->close();
  EXPECT_FALSE(o->connection->quiet());
  io_->restart();
  io_->run();
  EXPECT_EQ(observer->notices, 0);
  peer_.reset();
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(Tcp, DestroyingAConnectionEndsItsOperations) {
  auto o = connected();
  std::array<char, 2> got{};
  std::optional<error_code> result;
  o->net().visit([&](auto& s) {
    asio::async_read(s, asio::buffer(got), [&](auto ec, auto) { result = ec; });
  });
  o->connection.reset();
  EXPECT_FALSE(result) << "inline";
  io_->restart();
  io_->run();
  EXPECT_EQ(result, asio::error::operation_aborted);
}

TEST_F(Tcp, Fault117_WritingToAClosedPeerRaisesNoSignal) {
  const auto o = connected();
  peer_->set_option(asio::socket_base::linger(true, 0));
  peer_->close();
  const auto old = std::signal(SIGPIPE, SIG_DFL);
  error_code ec;
  o->net().visit([&](auto& s) {
    for (int i = 0; i < 10 && !ec; ++i) asio::write(s, asio::buffer("abc", 3), ec);
  });
  std::signal(SIGPIPE, old);
  EXPECT_TRUE(ec);
}

TEST_F(Tcp, Fault127_ContextDestroyedInEveryState) {
  const long before = open_descriptors();
  for (int turns = 0; turns < 4; ++turns) {
    auto io = std::make_unique<asio::io_context>();
    auto deaf = std::make_unique<deaf_listener>(*io);
    const auto o = open(connector_, *io, deaf->port());
    for (int i = 0; i < turns; ++i) io->poll_one();
    deaf.reset();
    io.reset();
    o->operation->cancel();
    EXPECT_EQ(o->completions, 0);
    EXPECT_EQ(open_descriptors(), before);
  }
}

TEST_F(Tcp, Fault127_ConnectionOutlivesItsContext) {
  const auto o = connected();
  const auto observer = std::make_shared<counting_observer>();
  o->connection->watch_idle(observer);
  std::array<char, 2> got{};
  bool completed = false;
  o->net().visit([&](auto& s) {
    asio::async_read(s, asio::buffer(got), [&](auto, auto) { completed = true; });
  });
  const long before = open_descriptors();
  destroy_context();
  EXPECT_LT(open_descriptors(), before);
  EXPECT_FALSE(completed);
  EXPECT_EQ(observer->notices, 0);
  EXPECT_FALSE(o->connection->quiet());
  EXPECT_FALSE(o->connection->get_executor());
  o->connection->watch_idle(observer);
  EXPECT_EQ(o->net().bytes_written(), 0U);
  o->connection->close();
}

TEST_F(Tcp, NothingIsLeftBehind) {
  const long before = open_descriptors();
  for (int i = 0; i < 100; ++i) (void)connected();
  peer_.reset();
  EXPECT_EQ(open_descriptors(), before);
}

/// Opens, asks, reads the echo and closes, from whatever thread its handlers run on.
void exchange(tcp_connector& c,
              const connect_request& request,
              std::atomic<int>& good,
              const std::shared_ptr<std::promise<void>>& all,
              std::atomic<int>& left) {
  c.open(request, [&good, &left, all](error_code ec, std::unique_ptr<pooled_connection> opened) {
    ASSERT_EQ(ec, error_code());
    std::shared_ptr<tcp_connection> connection(static_cast<tcp_connection*>(opened.release()));
    connection->watch_idle({});
    auto text = std::make_shared<std::string>("echo");
    tcp_stream& stream = connection->stream();
    asio::async_write(stream, asio::buffer(*text), [](auto, auto) {});
    asio::async_read(stream, asio::buffer(*text), [=, &good, &left](auto read_error, auto) {
      if (!read_error && *text == "echo" && connection->bytes_written() == 4) ++good;
      connection->close();
      if (--left == 0) all->set_value();
    });
  });
}

/// Sends back what comes, until the peer closes.
void echo(const std::shared_ptr<tcp::socket>& s) {
  auto got = std::make_shared<std::array<char, 16>>();
  s->async_read_some(asio::buffer(*got), [s, got](auto ec, auto n) {
    if (ec) return;
    asio::async_write(*s, asio::buffer(*got, n), [s](auto, auto) { echo(s); });
  });
}

TEST(TcpThreads, Fault132_ManyThreadsRunTheContext) {
  constexpr int connections = 64;
  asio::thread_pool pool(8);
  tcp::acceptor acceptor(asio::make_strand(pool), {asio::ip::address_v4::loopback(), 0});
  std::function<void()> accept = [&] {
    acceptor.async_accept(asio::make_strand(pool), [&](auto ec, tcp::socket s) {
      if (ec) return;
      echo(std::make_shared<tcp::socket>(std::move(s)));
      accept();
    });
  };
  connect_request request;
  request.where = endpoint(acceptor.local_endpoint().address(), acceptor.local_endpoint().port());
  request.deadline = clock::now() + 30s;
  request.executor = pool.get_executor();
  accept();
  tcp_connector c;
  std::atomic<int> good{0};
  std::atomic<int> left{connections};
  const auto all = std::make_shared<std::promise<void>>();
  for (int i = 0; i < connections; ++i) exchange(c, request, good, all, left);
  EXPECT_EQ(all->get_future().wait_for(60s), std::future_status::ready);
  asio::post(acceptor.get_executor(), [&] { acceptor.close(); });
  pool.join();
  EXPECT_EQ(good, connections);
}

}  // namespace
}  // namespace redial
