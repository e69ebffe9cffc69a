// SPDX-License-Identifier: Apache-2.0
// Who answers on a plaintext connection is asked before anybody may use it.
#include <redial/net/identity.hpp>
#include <redial/net/tcp_connection.hpp>
#include <redial/net/tcp_connector.hpp>

#include "support/event_wait.hpp"
#include "support/line_peer.hpp"
#include "support/opened.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace redial {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using testing::line_peer;
using testing::open_descriptors;
using testing::opened;
using testing::run_until;

using then = line_peer::then;

byte_identity ping() {
  byte_identity b;
  b.send = "PING\r\n";
  b.expect = "+PONG\r\n";
  return b;
}

tcp_connector asking(std::shared_ptr<const identity_check> check) {
  tcp_options o;
  o.identity = std::move(check);
  return tcp_connector(o);
}

/// A check that a test writes on the spot.
class custom final : public identity_check {
 public:
  using function = std::function<void(tcp_stream&, handler)>;
  using whole_function = std::function<void(const identity_request&, handler)>;
  explicit custom(function f)
      : f_([f = std::move(f)](const identity_request& r, handler done) {
          f(*r.stream, std::move(done));
        }) {}
  explicit custom(whole_function f) : f_(std::move(f)) {}
  void prove(const identity_request& r, handler done) const override { f_(r, std::move(done)); }

 private:
  const whole_function f_;
};

class Identity : public ::testing::Test {
 protected:
  std::shared_ptr<opened> open(tcp_connector c, std::chrono::milliseconds patience = 30s) {
    auto o = testing::open(c, *io_, peer_->port(), patience);
    EXPECT_TRUE(run_until(*io_, [&] { return o->is_done(); }));
    EXPECT_EQ(o->completions, 1);
    EXPECT_EQ(o->connection == nullptr, o->error.failed());
    return o;
  }
  error_code verdict(const byte_identity& b) { return open(asking(expect_bytes(b)))->error; }
  error_code verdict(custom::function f) {
    return open(asking(std::make_shared<custom>(std::move(f))))->error;
  }

  std::optional<asio::io_context> io_{std::in_place};
  std::optional<line_peer> peer_{std::in_place, *io_};
};

TEST_F(Identity, ProvenConnectionIsHandedOutClean) {
  peer_->reply = {"+PONG\r\n"};
  const auto o = open(asking(expect_bytes(ping())));
  ASSERT_EQ(o->error, error_code());
  EXPECT_EQ(peer_->heard(), "PING\r\n");
  EXPECT_EQ(o->net().bytes_written() + o->net().bytes_read(), 0U) << "the proof is not the user's";
  EXPECT_TRUE(o->connection->quiet());
  std::string answer(7, ' ');
  bool got = false;
  auto& stream = static_cast<tcp_connection&>(*o->connection).stream();
  asio::async_write(stream, asio::buffer("PING\r\n", 6), [](auto, auto) {});
  asio::async_read(stream, asio::buffer(answer), [&](auto, auto) { got = true; });
  ASSERT_TRUE(run_until(*io_, [&] { return got; }));
  EXPECT_EQ(answer, "+PONG\r\n");
}

TEST_F(Identity, EveryConnectionIsAsked) {
  peer_->reply = {"+PONG\r\n"};
  const auto check = expect_bytes(ping());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(open(asking(check))->error, error_code());
  EXPECT_EQ(peer_->heard(), "PING\r\nPING\r\nPING\r\n");
}

TEST_F(Identity, AnswerMayComeByteByByte) {
  peer_->reply = {"+", "P", "O", "N", "G", "\r", "\n"};
  EXPECT_EQ(verdict(ping()), error_code());
}

TEST_F(Identity, Fault115_TheFirstByteThatDiffersIsAMismatch) {
  const long before = open_descriptors();
  peer_->reply = {"-"};
  EXPECT_EQ(verdict(ping()), errc::identity_mismatch) << "without waiting for more";
  peer_->reply = {"+PONg"};
  EXPECT_EQ(verdict(ping()), errc::identity_mismatch);
  ASSERT_TRUE(run_until(*io_, [&] { return peer_->open() == 0; })) << "closed";
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(Identity, SilenceAndHalfAnAnswerEndAtTheDeadline) {
  const long before = open_descriptors();
  for (const char* reply : {"", "+PO"}) {
    peer_->reply = {reply};
    const auto o = open(asking(expect_bytes(ping())), 60ms);
    EXPECT_EQ(o->error, errc::connect_timeout) << reply;
    ASSERT_TRUE(run_until(*io_, [&] { return peer_->open() == 0; })) << "closed";
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(Identity, PeerThatClosesEarlyIsNoStranger) {
  for (const char* reply : {"", "+PO"}) {
    peer_->reply = {reply};
    peer_->after = then::close;
    EXPECT_EQ(verdict(ping()), errc::peer_closed) << reply;
  }
  peer_->reply = {};
  peer_->after = then::reset;
  EXPECT_EQ(verdict(ping()), asio::error::connection_reset);
  peer_->reply = {"-ERR"};
  peer_->after = then::close;
  EXPECT_EQ(verdict(ping()), errc::identity_mismatch) << "it said who it is";
}

TEST_F(Identity, GreetingIsReadToItsEnd) {
  byte_identity b;
  b.expect = "220 mail";
  b.until = "\r\n";
  b.max_reply = 16;
  peer_->greeting = "220 mail ready\r\n";
  EXPECT_EQ(verdict(b), error_code()) << "as long as may be";
  peer_->greeting = "220 mail ready.\r\n";
  EXPECT_EQ(verdict(b), errc::identity_mismatch) << "too long";
  peer_->greeting = "220 mail is ready";
  EXPECT_EQ(verdict(b), errc::identity_mismatch) << "too long, without an end";
  peer_->greeting = "SSH-2.0-x\r\n";
  EXPECT_EQ(verdict(b), errc::identity_mismatch);
}

TEST_F(Identity, BytesAfterTheAnswerSpoilTheConnection) {
  peer_->reply = {"+PONG\r\nmore"};
  EXPECT_EQ(verdict(ping()), errc::identity_spent);
  byte_identity b;
  b.expect = "220";
  b.until = "\n";
  peer_->greeting = "220 a\n220 b\n";
  EXPECT_EQ(verdict(b), errc::identity_spent);
}

TEST_F(Identity, ACheckOfOnesOwn) {
  peer_->greeting = "me";
  EXPECT_EQ(verdict([](tcp_stream& s, identity_check::handler done) {
              const auto got = std::make_shared<std::string>(2, ' ');
              asio::async_read(s, asio::buffer(*got), [got, done](error_code ec, std::size_t) {
                done(ec || *got != "me" ? errc::identity_mismatch : error_code());
              });
            }),
            error_code());
  EXPECT_EQ(verdict([](tcp_stream&, const identity_check::handler& done) {
              done(errc::identity_mismatch);
              done({});
            }),
            errc::identity_mismatch)
      << "called inside the function; the first word counts";
}

TEST_F(Identity, ACheckIsToldWhomItAsksAndUntilWhen) {
  identity_request told;
  error_code ec;
  const auto before = clock::now();
  const custom::whole_function f = [&](const identity_request& r, identity_check::handler done) {
    told = r;
    EXPECT_EQ(r.stream->remote_endpoint(ec).port(), r.where.port);
    done({});
  };
  EXPECT_FALSE(open(asking(std::make_shared<custom>(f)), 30s)->error);
  EXPECT_EQ(told.where.port, peer_->port());
  EXPECT_GE(told.deadline, before + 29s);
  EXPECT_LE(told.deadline, clock::now() + 30s);
}

TEST_F(Identity, BytesThatACheckLeavesUnreadSpoilTheConnection) {
  peer_->greeting = "me";
  EXPECT_EQ(verdict([](tcp_stream& s, const identity_check::handler& done) {
              s.async_wait(tcp_stream::wait_read, [done](error_code) { done({}); });
            }),
            errc::identity_spent);
}

TEST_F(Identity, ACheckThatForgetsItsHandlerFailsTheConnect) {
  EXPECT_EQ(verdict([](tcp_stream&, const identity_check::handler&) {}), errc::abandoned);
}

TEST_F(Identity, Fault130_ACheckThatThrowsFailsTheConnect) {
  auto c = asking(std::make_shared<custom>(
      [](tcp_stream&, const identity_check::handler&) { throw std::runtime_error("no"); }));
  const auto o = testing::open(c, *io_, peer_->port());
  EXPECT_THROW((void)run_until(*io_, [&] { return o->is_done(); }), std::runtime_error);
  ASSERT_TRUE(run_until(*io_, [&] { return o->is_done(); }));
  EXPECT_EQ(o->error, errc::abandoned);
}

TEST_F(Identity, ACheckMayAnswerFromAnotherThread) {
  std::thread other;
  EXPECT_EQ(verdict([&](tcp_stream&, identity_check::handler done) {
              other = std::thread([done = std::move(done)] { done({}); });
            }),
            error_code());
  other.join();
}

TEST_F(Identity, AnAnswerAfterTheDeadlineMeansNothing) {
  identity_check::handler late;
  auto c = asking(std::make_shared<custom>(
      [&](tcp_stream&, identity_check::handler done) { late = std::move(done); }));
  const auto o = open(c, 60ms);
  EXPECT_EQ(o->error, errc::connect_timeout);
  late({});
  late = nullptr;
  (void)io_->poll();
  EXPECT_EQ(o->completions, 1);
}

TEST_F(Identity, Fault126_CancelWhileAsking) {
  const long before = open_descriptors();
  auto c = asking(expect_bytes(ping()));
  const auto o = testing::open(c, *io_, peer_->port());
  ASSERT_TRUE(run_until(*io_, [&] { return peer_->heard() == "PING\r\n"; }));
  o->operation->cancel();
  o->operation->cancel();
  ASSERT_TRUE(run_until(*io_, [&] { return o->is_done() && peer_->open() == 0; }));
  EXPECT_EQ(o->completions, 1);
  EXPECT_EQ(o->error, asio::error::operation_aborted);
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(Identity, Fault127_ContextDestroyedInEveryState) {
  auto c = asking(expect_bytes(ping()));
  const long before = open_descriptors();
  for (int turns = 0; turns < 20; ++turns) {
    auto io = std::make_unique<asio::io_context>();
    auto peer = std::make_unique<line_peer>(*io);
    if (turns % 2 == 0) peer->reply = {"+PONG\r\n"};
    const auto o = testing::open(c, *io, peer->port());
    for (int i = 0; i < turns; ++i) io->poll_one();
    peer.reset();
    io.reset();
    o->operation->cancel();
    if (o->connection) {
      EXPECT_FALSE(o->connection->quiet());
    }
    EXPECT_EQ(open_descriptors(), before);
  }
}

TEST(IdentityOptions, Fault88_OutOfRangeIsRefusedByName) {
  const auto refusal = [](byte_identity b) -> std::string {
    try {
      (void)expect_bytes(std::move(b));
    } catch (const std::invalid_argument& e) {
      return e.what();
    }
    return "";
  };
  byte_identity b = ping();
  EXPECT_EQ(refusal(b), "");
  b.expect.clear();
  EXPECT_THAT(refusal(b), ::testing::HasSubstr("byte_identity::expect"));
  b.expect.assign(4097, 'x');
  EXPECT_THAT(refusal(b), ::testing::HasSubstr("byte_identity::expect"));
  b = ping();
  b.send.assign(4097, 'x');
  EXPECT_THAT(refusal(b), ::testing::HasSubstr("byte_identity::send"));
  b = ping();
  b.until.assign(65, 'x');
  EXPECT_THAT(refusal(b), ::testing::HasSubstr("byte_identity::until"));
  b.until = "\n";
  b.max_reply = b.expect.size();
  EXPECT_THAT(refusal(b), ::testing::HasSubstr("byte_identity::max_reply"));
}

}  // namespace
}  // namespace redial
