// SPDX-License-Identifier: Apache-2.0
// redial as its users call it, with the default options: every call has a deadline, may be retried
// and counts.

#include <redial/client/stream_clients.hpp>
#include <redial/http/http_client.hpp>

#include "steady/contestant.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <utility>

namespace redial::steady {

namespace asio = boost::asio;

namespace {

class http_lane final : public lane {
 public:
  http_lane(const lane_options& o, bool tls)
      : in_flight_(o.in_flight), client_(io_.get_executor(), target_of(o, tls), options_of(o)) {}

  void run(std::uint64_t n) override {
    loop_.start(n);
    for (std::size_t i = 0; i < in_flight_; ++i) next();
    io_.restart();
    while (!loop_.is_over()) expect(io_.run_one() > 0, "redial ran out of work");
  }

 private:
  static std::string target_of(const lane_options& o, bool tls) {
    return (tls ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(o.port);
  }
  static http_options options_of(const lane_options& o) {
    http_options options;
    options.tls.ca_file = o.ca_file;
    options.tcp.strand_per_connection = o.strands;
    return options;
  }

  void next() {
    if (!loop_.begin()) return;
    client_.async_get(std::string(path), [this](error_code ec, const http_response& r) {
      expect(r.status == 200 && r.body.size() == body_bytes, "redial", ec);
      loop_.end();
      next();
    });
  }

  const std::size_t in_flight_;
  closed_loop loop_;
  asio::io_context io_;
  http_client client_;
};

class stream_lane final : public lane {
 public:
  explicit stream_lane(const lane_options& o)
      : slots_(o.in_flight),
        client_(make_tcp_client(io_.get_executor(),
                                discovery::create(io_.get_executor(), {}),
                                target("tcp://127.0.0.1:" + std::to_string(o.port)),
                                {},
                                options_of(o))) {
    message_.fill('m');
  }

  void run(std::uint64_t n) override {
    loop_.start(n);
    for (slot& s : slots_) next(s);
    io_.restart();
    while (!loop_.is_over()) expect(io_.run_one() > 0, "redial ran out of work");
  }

 private:
  static tcp_options options_of(const lane_options& o) {
    tcp_options options;
    options.strand_per_connection = o.strands;
    return options;
  }

  struct slot {
    lease<tcp_connection> connection;
    std::array<char, message_bytes> answer{};
  };

  void next(slot& s) {
    if (!loop_.begin()) return;
    client_.async_checkout([this, &s](error_code ec, lease<tcp_connection> l) {
      expect(true, "redial checkout", ec);
      s.connection = std::move(l);
      asio::async_write(s.connection->stream(),
                        asio::buffer(message_),
                        [this, &s](error_code failed, std::size_t) { written(s, failed); });
    });
  }
  void written(slot& s, error_code ec) {
    expect(true, "redial write", ec);
    asio::async_read(s.connection->stream(),
                     asio::buffer(s.answer),
                     [this, &s](error_code failed, std::size_t) { answered(s, failed); });
  }
  void answered(slot& s, error_code ec) {
    expect(s.answer == message_, "redial read", ec);
    s.connection = {};
    loop_.end();
    next(s);
  }

  std::array<char, message_bytes> message_{};
  closed_loop loop_;
  std::vector<slot> slots_;
  asio::io_context io_;
  tcp_client client_;
};

}  // namespace

contestant redial_http() {
  return {"redial", [](const lane_options& o) { return std::make_unique<http_lane>(o, false); }};
}
contestant redial_https() {
  return {"redial", [](const lane_options& o) { return std::make_unique<http_lane>(o, true); }};
}
contestant redial_stream() {
  return {"redial", [](const lane_options& o) { return std::make_unique<stream_lane>(o); }};
}

}  // namespace redial::steady
