// SPDX-License-Identifier: Apache-2.0
#include <redial/http/http_probe.hpp>
#include <redial/net/net_connection.hpp>
#include <redial/net/tcp_connection.hpp>
#include <redial/net/tls_connection.hpp>

#include "http/grammar.hpp"
#include "http/response_reader.hpp"

#include <boost/asio/error.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/write.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace redial::inline REDIAL_ABI {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace detail {
namespace {

constexpr response_limits limits{64UL * 1024, 64UL * 1024};

using request = http::request<http::empty_body>;

// One check. Its handlers hold it; whoever drops them has closed the connection.
template <class Stream>
class probe_exchange : public std::enable_shared_from_this<probe_exchange<Stream>> {
 public:
  probe_exchange(std::shared_ptr<pooled_connection> connection,
                 Stream& stream,
                 std::shared_ptr<const http_probe_options> options,
                 health_probe::handler done)
      : connection_(std::move(connection)),
        stream_(stream),
        options_(std::move(options)),
        done_(std::move(done)),
        question_(http::verb::get, options_->path, 11),
        reader_(limits, false) {
    question_.set(http::field::host, options_->host);
    question_.set(http::field::user_agent, "redial-probe");
  }

  void start() {
    http::async_write(stream_, question_, [self = this->shared_from_this()](error_code ec, auto) {
      if (ec) return self->finish(ec);
      self->read();
    });
  }

 private:
  void read() {
    stream_.async_read_some(reader_.space(),
                            [self = this->shared_from_this()](error_code ec, std::size_t n) {
                              if (ec && ec != asio::error::eof) return self->fail_read(ec);
                              self->on_bytes(ec ? self->reader_.took_end() : self->reader_.took(n));
                            });
  }

  void on_bytes(response_reader::progress p) {
    switch (p) {
      case response_reader::progress::unfinished:
        return read();
      case response_reader::progress::complete:
        return judge();
      case response_reader::progress::refused:
        return finish(reader_.error());
    }
  }

  void judge() {
    if (!may_reuse(reader_.end(true))) connection_->close();
    const unsigned status = reader_.take().status;
    const auto& good = options_->statuses;
    const bool well = std::find(good.begin(), good.end(), status) != good.end();
    finish(well ? error_code{} : error_code(errc::unavailable_status));
  }

  void fail_read(error_code ec) {
    finish(response_reader::meaning_of_error(ec, stream_.bytes_read() > 0));
  }

  void finish(error_code ec) { std::exchange(done_, nullptr)(ec); }

  const std::shared_ptr<pooled_connection> connection_;
  Stream& stream_;
  const std::shared_ptr<const http_probe_options> options_;
  health_probe::handler done_;
  request question_;
  response_reader reader_;
};

class get_probe final : public health_probe {
 public:
  explicit get_probe(http_probe_options options)
      : options_(std::make_shared<const http_probe_options>(std::move(options))) {}

  void check(const probe_request& asked, handler done) override {
    connection_cast<net_connection>(*asked.connection).visit([&](auto& stream) {
      using stream_type = std::remove_reference_t<decltype(stream)>;
      std::make_shared<probe_exchange<stream_type>>(
          asked.connection, stream, options_, std::move(done))
          ->start();
    });
  }

 private:
  const std::shared_ptr<const http_probe_options> options_;
};

void validate(const http_probe_options& o) {
  if (!is_origin_form(o.path)) {
    throw std::invalid_argument(
        "http_probe_options::path must be a path that may be sent, and start with /");
  }
  if (o.host.empty() || !is_host_value(o.host)) {
    throw std::invalid_argument("http_probe_options::host must be a host, perhaps with a port");
  }
  if (o.statuses.empty()) {
    throw std::invalid_argument("http_probe_options::statuses is empty: must name at least one");
  }
  for (const unsigned s : o.statuses) {
    if (s >= 100 && s <= 599) continue;
    throw std::invalid_argument(
        fmt::format("http_probe_options::statuses has {}: must be from 100 to 599", s));
  }
}

}  // namespace
}  // namespace detail

std::shared_ptr<health_probe> http_probe(http_probe_options options) {
  detail::validate(options);
  return std::make_shared<detail::get_probe>(std::move(options));
}

}  // namespace redial::inline REDIAL_ABI
