// SPDX-License-Identifier: Apache-2.0
// Plain Beast and plain Asio: one connection per request in flight, to a fixed address, without
// deadlines, retries, or a thought about who answers. A fresh request and a fresh response each
// time, one buffer per connection.

#include "steady/contestant.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <array>
#include <optional>
#include <utility>
#include <vector>

namespace redial::steady {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using error_code = boost::system::error_code;

namespace {

tcp::socket connected(asio::io_context& io, std::uint16_t port) {
  tcp::socket s(io);
  s.connect({asio::ip::address_v4::loopback(), port});
  s.set_option(tcp::no_delay(true));
  return s;
}

template <class Stream>
class http_slot {
 public:
  http_slot(Stream stream, std::string host, closed_loop& loop)
      : stream_(std::move(stream)), host_(std::move(host)), loop_(loop) {}

  Stream& stream() noexcept { return stream_; }

  void next() {
    if (!loop_.begin()) return;
    request_ = http::request<http::empty_body>(http::verb::get, path, 11);
    request_.set(http::field::host, host_);
    request_.set(http::field::user_agent, user_agent);
    http::async_write(stream_, request_, [this](error_code ec, std::size_t) { written(ec); });
  }

 private:
  void written(error_code ec) {
    expect(true, "Beast write", ec);
    parser_.emplace();
    http::async_read(
        stream_, buffer_, *parser_, [this](error_code failed, std::size_t) { answered(failed); });
  }

  void answered(error_code ec) {
    expect(true, "Beast read", ec);
    const auto response = parser_->release();
    expect(response.result_int() == 200 && response.body().size() == body_bytes &&
               response.keep_alive(),
           "Beast: bad response");
    loop_.end();
    next();
  }

  Stream stream_;
  const std::string host_;
  closed_loop& loop_;
  boost::beast::flat_buffer buffer_;
  http::request<http::empty_body> request_;
  std::optional<http::response_parser<http::string_body>> parser_;
};

template <class Slot>
class asio_lane : public lane {
 public:
  void run(std::uint64_t n) override {
    loop_.start(n);
    for (const auto& s : slots_) s->next();
    io_.restart();
    while (!loop_.is_over()) expect(io_.run_one() > 0, "Asio ran out of work");
  }

 protected:
  closed_loop loop_;
  asio::io_context io_;
  std::vector<std::unique_ptr<Slot>> slots_;
};

std::string host_of(const lane_options& o) { return "127.0.0.1:" + std::to_string(o.port); }

class http_lane final : public asio_lane<http_slot<tcp::socket>> {
 public:
  explicit http_lane(const lane_options& o) {
    while (slots_.size() < o.in_flight) {
      slots_.push_back(
          std::make_unique<http_slot<tcp::socket>>(connected(io_, o.port), host_of(o), loop_));
    }
  }
};

using tls_stream = asio::ssl::stream<tcp::socket>;

class https_lane final : public asio_lane<http_slot<tls_stream>> {
 public:
  explicit https_lane(const lane_options& o) {
    context_.load_verify_file(o.ca_file);
    context_.set_verify_mode(asio::ssl::verify_peer);
    while (slots_.size() < o.in_flight) {
      tls_stream stream(connected(io_, o.port), context_);
      stream.set_verify_callback(asio::ssl::host_name_verification("127.0.0.1"));
      stream.handshake(tls_stream::client);
      slots_.push_back(
          std::make_unique<http_slot<tls_stream>>(std::move(stream), host_of(o), loop_));
    }
  }
  ~https_lane() override { slots_.clear(); }

 private:
  asio::ssl::context context_{asio::ssl::context::tls_client};
};

class echo_slot {
 public:
  echo_slot(tcp::socket stream, closed_loop& loop) : stream_(std::move(stream)), loop_(loop) {
    message_.fill('m');
  }

  void next() {
    if (!loop_.begin()) return;
    asio::async_write(
        stream_, asio::buffer(message_), [this](error_code ec, std::size_t) { written(ec); });
  }

 private:
  void written(error_code ec) {
    expect(true, "Asio write", ec);
    asio::async_read(stream_, asio::buffer(answer_), [this](error_code failed, std::size_t) {
      expect(answer_ == message_, "Asio read", failed);
      loop_.end();
      next();
    });
  }

  tcp::socket stream_;
  closed_loop& loop_;
  std::array<char, message_bytes> message_{};
  std::array<char, message_bytes> answer_{};
};

class echo_lane final : public asio_lane<echo_slot> {
 public:
  explicit echo_lane(const lane_options& o) {
    while (slots_.size() < o.in_flight) {
      slots_.push_back(std::make_unique<echo_slot>(connected(io_, o.port), loop_));
    }
  }
};

}  // namespace

contestant beast_http() {
  return {"Beast", [](const lane_options& o) { return std::make_unique<http_lane>(o); }};
}
contestant beast_https() {
  return {"Beast", [](const lane_options& o) { return std::make_unique<https_lane>(o); }};
}
contestant asio_stream() {
  return {"Asio", [](const lane_options& o) { return std::make_unique<echo_lane>(o); }};
}

}  // namespace redial::steady
