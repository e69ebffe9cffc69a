// SPDX-License-Identifier: Apache-2.0
#include <redial/net/identity.hpp>
#include <redial/net/tcp_connection.hpp>

#include "core/option_range.hpp"

#include <boost/asio/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace redial::inline REDIAL_ABI {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

constexpr std::size_t max_header = std::size_t{16} * 1024;
constexpr std::size_t longest_body = std::size_t{1024} * 1024;

/// Anything else could end the line that it is written into.
bool is_one_word(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

void require(bool holds, const char* option, const char* what) {
  if (holds) return;
  throw std::invalid_argument("http_identity::" + std::string(option) + ": " + what);
}

void validate(const http_identity& o) {
  require(!o.path.empty() && o.path.front() == '/' && is_one_word(o.path),
          "path",
          "must begin with '/' and hold printable ASCII without spaces");
  require(is_one_word(o.host), "host", "must hold printable ASCII without spaces, or be empty");
  require(
      !o.header.empty() || o.header_value.empty(), "header", "missing, and header_value is given");
  detail::check_count("http_identity", "status", o.status, {200}, {599});
  detail::check_count("http_identity", "max_body", o.max_body, {0}, {longest_body});
}

/// Without the SRV target, which is no part of an address, and without the zone, which means
/// something on this machine only (RFC 6874 section 1).
std::string authority_of(const endpoint& where) {
  address bare = where.addr;
  if (bare.is_v6()) bare = boost::asio::ip::address_v6(bare.to_v6().to_bytes());
  return to_string(endpoint(bare, where.port));
}

bool is_http_error(const error_code& ec) {
  return ec.category() == http::make_error_code(http::error::bad_version).category();
}

/// One proof under way; it lives in the handlers of its operations.
class http_proof : public std::enable_shared_from_this<http_proof> {
 public:
  http_proof(http_identity what, tcp_stream& s, const endpoint& where, identity_check::handler done)
      : what_(std::move(what)),
        stream_(s),
        done_(std::move(done)),
        request_(http::verb::get, what_.path, 11),
        // The parser's limit is for the header only; chunk extensions would grow the buffer.
        buffer_(max_header) {
    request_.set(http::field::host, what_.host.empty() ? authority_of(where) : what_.host);
    request_.set(http::field::user_agent, "redial");
  }

  void start() {
    http::async_write(
        stream_, request_, [self = shared_from_this()](const error_code& ec, std::size_t) {
          if (ec) return self->done_(ec);
          self->begin();
        });
  }

 private:
  /// Beast looks at a header when all of it is there, and who speaks another protocol sends no end
  /// of one.
  void begin() {
    constexpr std::string_view start = "HTTP/";
    const auto data = buffer_.data();
    const std::string_view got(static_cast<const char*>(data.data()), data.size());
    const std::size_t known = std::min(got.size(), start.size());
    if (got.substr(0, known) != start.substr(0, known)) return done_(errc::identity_mismatch);
    if (known == start.size()) return read();
    stream_.async_read_some(buffer_.prepare(512),
                            [self = shared_from_this()](const error_code& ec, std::size_t n) {
                              if (ec) return self->on_read(ec);
                              self->buffer_.commit(n);
                              self->begin();
                            });
  }

  void read() {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(max_header));
    parser_->body_limit(what_.max_body);
    http::async_read(
        stream_, buffer_, *parser_, [self = shared_from_this()](const error_code& ec, std::size_t) {
          self->on_read(ec);
        });
  }

  void on_read(const error_code& ec) {
    if (ec == asio::error::eof || ec == http::error::end_of_stream ||
        ec == http::error::partial_message) {
      return done_(errc::peer_closed);
    }
    if (ec == http::error::body_limit && what_.body_contains.empty()) {
      return done_(on_right_head(errc::identity_spent));
    }
    if (ec) return done_(is_http_error(ec) ? errc::identity_mismatch : ec);
    const unsigned status = parser_->get().result_int();
    // Interim (RFC 9110 §15.2): another one follows. 101 ends HTTP on a connection.
    if (status < 200 && status != 101) return begin();
    done_(verdict());
  }

  [[nodiscard]] error_code verdict() const {
    const auto& response = parser_->get();
    if (response.body().find(what_.body_contains) == std::string::npos) {
      return on_right_head(errc::identity_mismatch);
    }
    const bool stays = parser_->keep_alive() && !parser_->need_eof() && buffer_.size() == 0;
    return on_right_head(stays ? error_code() : errc::identity_spent);
  }

  /// `then` when status and header are as expected.
  [[nodiscard]] error_code on_right_head(const error_code& then) const {
    const auto& response = parser_->get();
    const unsigned status = response.result_int();
    if (status != what_.status) {
      return status >= 502 && status <= 504 ? errc::unavailable_status : errc::identity_mismatch;
    }
    if (what_.header.empty()) return then;
    const auto [first, last] = response.equal_range(what_.header);
    const bool found = std::any_of(
        first, last, [&](const auto& field) { return field.value() == what_.header_value; });
    return found ? then : errc::identity_mismatch;
  }

  const http_identity what_;
  tcp_stream& stream_;
  const identity_check::handler done_;
  http::request<http::empty_body> request_;
  boost::beast::flat_buffer buffer_;
  std::optional<http::response_parser<http::string_body>> parser_;
};

class http_check final : public identity_check {
 public:
  explicit http_check(http_identity what) : what_(std::move(what)) {}

  void prove(const identity_request& request, handler done) const override {
    std::make_shared<http_proof>(what_, *request.stream, request.where, std::move(done))->start();
  }

 private:
  const http_identity what_;
};

}  // namespace

std::shared_ptr<const identity_check> expect_http(http_identity what) {
  validate(what);
  return std::make_shared<http_check>(std::move(what));
}

}  // namespace redial::inline REDIAL_ABI
