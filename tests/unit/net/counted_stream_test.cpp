// SPDX-License-Identifier: Apache-2.0
#include <redial/core/access.hpp>
#include <redial/net/counted_stream.hpp>
#include <redial/net/tcp_connection.hpp>
#include <redial/net/tls_connection.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/http.hpp>
#include <gtest/gtest.h>

#include <array>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>

namespace redial {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;

class CountedStream : public testing::Test {
 protected:
  CountedStream() {
    tcp::acceptor acceptor(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    tcp::socket ours(io_);
    ours.connect(acceptor.local_endpoint());
    peer_ = acceptor.accept();
    stream_ = tcp_stream::make(std::move(ours));
  }

  std::string read_from_peer(std::size_t n) {
    std::string text(n, '\0');
    asio::read(peer_, asio::buffer(text));
    return text;
  }

  asio::io_context io_;
  tcp::socket peer_{io_};
  std::shared_ptr<tcp_stream> stream_;
};

TEST_F(CountedStream, IsTheSocketItSays) {
  static_assert(beast::is_async_stream<tcp_stream>::value);
  static_assert(beast::is_async_stream<tls_stream>::value);
  static_assert(beast::is_sync_stream<tcp_stream>::value);
  static_assert(beast::is_sync_stream<tls_stream>::value);
  static_assert(std::is_same_v<beast::lowest_layer_type<tcp_stream>, tcp_stream>);
  static_assert(std::is_same_v<beast::lowest_layer_type<tls_stream>, tls_stream>);
  EXPECT_EQ(&beast::get_lowest_layer(*stream_), stream_.get());
  EXPECT_EQ(stream_->lowest_layer().native_handle(), stream_->native_handle());
}

template <class Stream>
concept has_uncounted_writes = requires(Stream& s) {
  s.send(asio::buffer("x", 1));
}
|| requires(Stream& s) { s.next_layer(); }
|| requires(Stream& s) { s.reset_counts(); }
|| requires(Stream& s) { s.count_read(1); };

TEST_F(CountedStream, OffersNoWayToWriteUncounted) {
  static_assert(!std::is_convertible_v<tcp_stream&, tcp::socket&>);
  static_assert(!std::is_constructible_v<tcp::socket, tcp_stream>);
  static_assert(!std::is_convertible_v<tls_stream&, asio::ssl::stream<tcp::socket>&>);
  static_assert(!has_uncounted_writes<tcp_stream>);
  static_assert(!has_uncounted_writes<tls_stream>);
  static_assert(!beast::is_sync_write_stream<tcp_stream::lowest_layer_type>::value);
  static_assert(!beast::is_sync_write_stream<tls_stream::lowest_layer_type>::value);
}

TEST_F(CountedStream, NeverAgainSaysThatNothingWasSentOnceItsBaseWasHandedOut) {
  tcp::socket& base = stream_->uncounted();
  EXPECT_GT(stream_->bytes_written(), 0U);
  detail::access::reset_counts(*stream_);
  asio::write(base, asio::buffer("abc", 3));
  EXPECT_EQ(read_from_peer(3), "abc");
  EXPECT_GT(stream_->bytes_written(), 0U);
}

TEST_F(CountedStream, CarriesTlsBegunInTheMiddle) {
  asio::ssl::context context(asio::ssl::context::tls_client);
  asio::ssl::stream<tcp_stream&> tls(*stream_, context);
  error_code result;
  tls.async_handshake(asio::ssl::stream_base::client, [&](auto ec) { result = ec; });
  io_.run_one();
  EXPECT_GT(stream_->bytes_written(), 0U);
  peer_.close();
  io_.restart();
  io_.run();
  EXPECT_TRUE(result);
}

TEST_F(CountedStream, ReadsUntilADelimiter) {
  asio::write(peer_, asio::buffer("line\nrest", 9));
  std::string got;
  asio::async_read_until(*stream_, asio::dynamic_buffer(got), '\n', [](auto ec, auto n) {
    EXPECT_FALSE(ec);
    EXPECT_EQ(n, 5U);
  });
  io_.run();
  EXPECT_EQ(stream_->bytes_read(), got.size());
}

TEST_F(CountedStream, CountsComposedOperations) {
  std::string got(5, '\0');
  asio::write(peer_, asio::buffer("hello", 5));
  int completions = 0;
  asio::async_write(*stream_, asio::buffer("question", 8), [&](auto ec, auto n) {
    EXPECT_FALSE(ec);
    EXPECT_EQ(n, 8U);
    ++completions;
  });
  asio::async_read(*stream_, asio::buffer(got), [&](auto ec, auto n) {
    EXPECT_FALSE(ec);
    EXPECT_EQ(n, 5U);
    ++completions;
  });
  io_.run();
  EXPECT_EQ(completions, 2);
  EXPECT_EQ(got, "hello");
  EXPECT_EQ(read_from_peer(8), "question");
  EXPECT_EQ(stream_->bytes_written(), 8U);
  EXPECT_EQ(stream_->bytes_read(), 5U);
  detail::access::reset_counts(*stream_);
  EXPECT_EQ(stream_->bytes_written(), 0U);
  EXPECT_EQ(stream_->bytes_read(), 0U);
}

TEST_F(CountedStream, CountsAWriteBeforeItsHandlerRuns) {
  stream_->async_write_some(asio::buffer("abc", 3), [](auto, auto) {});
  // The bytes are out; whoever gives up now must not believe that nothing was sent.
  EXPECT_EQ(stream_->bytes_written(), 3U);
  EXPECT_EQ(read_from_peer(3), "abc");
  io_.run();
  EXPECT_EQ(stream_->bytes_written(), 3U);
}

TEST_F(CountedStream, TakesBackWhatWasNotSent) {
  stream_->close();
  error_code result;
  stream_->async_write_some(asio::buffer("abc", 3), [&](auto ec, auto) { result = ec; });
  EXPECT_EQ(stream_->bytes_written(), 3U);
  io_.run();
  EXPECT_TRUE(result);
  EXPECT_EQ(stream_->bytes_written(), 0U);
}

TEST_F(CountedStream, TakesBackTheUnsentPartOfALargeWrite) {
  const std::string large(64U << 20U, 'x');
  std::size_t sent = 0;
  stream_->async_write_some(asio::buffer(large), [&](auto, auto n) { sent = n; });
  EXPECT_EQ(stream_->bytes_written(), large.size());
  io_.run();
  EXPECT_LT(sent, large.size());
  EXPECT_EQ(stream_->bytes_written(), sent);
}

TEST_F(CountedStream, CountsNeverGoBelowZero) {
  const std::string large(64U << 20U, 'x');
  stream_->async_write_some(asio::buffer(large), [](auto, auto) {});
  detail::access::reset_counts(*stream_);
  io_.run();
  EXPECT_EQ(stream_->bytes_written(), 0U);
}

TEST_F(CountedStream, CountsSynchronousOperations) {
  EXPECT_EQ(asio::write(*stream_, asio::buffer("abc", 3)), 3U);
  asio::write(peer_, asio::buffer("xy", 2));
  std::array<char, 8> got{};
  EXPECT_EQ(stream_->read_some(asio::buffer(got)), 2U);
  EXPECT_EQ(stream_->bytes_written(), 3U);
  EXPECT_EQ(stream_->bytes_read(), 2U);
  peer_.close();
  EXPECT_THROW(stream_->read_some(asio::buffer(got)), boost::system::system_error);
  error_code ec;
  stream_->close();
  EXPECT_EQ(stream_->write_some(asio::buffer("abc", 3), ec), 0U);
  EXPECT_TRUE(ec);
  EXPECT_EQ(stream_->bytes_written(), 3U);
}

TEST_F(CountedStream, KeepsTheHandlersExecutor) {
  const auto strand = asio::make_strand(io_);
  bool in_strand = false;
  stream_->async_write_some(asio::buffer("a", 1), asio::bind_executor(strand, [&](auto, auto) {
                              in_strand = strand.running_in_this_thread();
                            }));
  io_.run();
  EXPECT_TRUE(in_strand);
}

template <class T>
struct counting_allocator {
  using value_type = T;
  explicit counting_allocator(int& c) noexcept : count(&c) {}
  template <class U>
  counting_allocator(const counting_allocator<U>& o) noexcept : count(o.count) {}
  T* allocate(std::size_t n) {
    ++*count;
    return std::allocator<T>().allocate(n);
  }
  void deallocate(T* p, std::size_t n) noexcept { std::allocator<T>().deallocate(p, n); }
  template <class U>
  bool operator==(const counting_allocator<U>& o) const noexcept {
    return count == o.count;
  }
  int* count;
};

TEST_F(CountedStream, KeepsTheHandlersAllocator) {
  int allocations = 0;
  std::array<char, 1> got{};
  stream_->async_read_some(
      asio::buffer(got),
      asio::bind_allocator(counting_allocator<char>(allocations), [](auto, auto) {}));
  EXPECT_GT(allocations, 0);
  peer_.close();
  io_.run();
}

TEST_F(CountedStream, KeepsTheHandlersCancellationSlot) {
  asio::cancellation_signal signal;
  std::array<char, 1> got{};
  std::optional<error_code> result;
  stream_->async_read_some(
      asio::buffer(got),
      asio::bind_cancellation_slot(signal.slot(), [&](auto ec, auto) { result = ec; }));
  signal.emit(asio::cancellation_type::terminal);
  io_.run();
  EXPECT_EQ(result, asio::error::operation_aborted);
}

TEST_F(CountedStream, PendingOperationKeepsTheStream) {
  std::array<char, 1> got{};
  std::optional<error_code> result;
  stream_->async_read_some(asio::buffer(got), [&](auto ec, auto) { result = ec; });
  const std::weak_ptr<tcp_stream> weak =
      std::static_pointer_cast<tcp_stream>(stream_->shared_from_this());
  stream_.reset();
  ASSERT_FALSE(weak.expired());
  weak.lock()->close();
  io_.run();
  EXPECT_EQ(result, asio::error::operation_aborted);
  EXPECT_TRUE(weak.expired());
}

TEST_F(CountedStream, WorksWithBeast) {
  namespace http = beast::http;
  http::request<http::string_body> request(http::verb::post, "/", 11, "body");
  request.prepare_payload();
  asio::write(peer_, asio::buffer(std::string("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")));
  beast::flat_buffer buffer;
  http::response<http::string_body> response;
  http::async_write(*stream_, request, [&](auto write_error, auto) {
    EXPECT_FALSE(write_error);
    http::async_read(*stream_, buffer, response, [](auto ec, auto) { EXPECT_FALSE(ec); });
  });
  io_.run();
  EXPECT_EQ(response.body(), "ok");
  EXPECT_EQ(stream_->bytes_written(), peer_.available());
  EXPECT_EQ(stream_->bytes_read(), 40U);
}

asio::awaitable<std::size_t> write_awaited(tcp_stream& stream) {
  const std::string text = "awaited";
  const auto buffer = asio::buffer(text);
  const std::size_t n = co_await asio::async_write(stream, buffer, asio::use_awaitable);
  co_return n;
}

TEST_F(CountedStream, WorksWithCoroutines) {
  std::size_t written = 0;
  asio::co_spawn(io_, write_awaited(*stream_), [&](const std::exception_ptr& e, std::size_t n) {
    EXPECT_FALSE(e);
    written = n;
  });
  io_.run();
  EXPECT_EQ(written, 7U);
  EXPECT_EQ(read_from_peer(7), "awaited");
}

}  // namespace
}  // namespace redial
