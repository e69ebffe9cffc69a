// SPDX-License-Identifier: Apache-2.0

// Sources: RFC 9112 §6 (framing), §9 (connections), RFC 9110 §15.2 (interim responses).
//
// What the parser cannot use yet is part of a head, a chunk's head or trailers, since it takes of a
// body whatever there is. The parser bounds the head only; the others are bounded by a buffer that
// is never larger than `header_bytes`, so that it does not matter in what pieces they come.

#include "http/response_reader.hpp"

#include "client/failure_class.hpp"
#include "http/grammar.hpp"

#include <boost/asio/error.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

// Enough for every 103 a page may have; an endless stream of them is no response.
constexpr int most_interim = 16;

// `0` and two line ends. Beast 345 asserts (basic_parser.ipp, parse_chunk_header) that whoever has
// shown it three bytes of the last chunk goes on with all of them, which is not the peer's duty.
constexpr std::size_t last_chunk = 5;

bool is_beast_error(const error_code& ec) {
  return ec.category() == http::make_error_code(http::error::bad_version).category();
}

}  // namespace

response_reader::response_reader(const response_limits& limits, bool to_head_request)
    : limits_(limits),
      to_head_request_(to_head_request),
      size_(std::min(first_size, limits.header_bytes)) {
  renew_parser();
}

void response_reader::renew_parser() {
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(limits_.header_bytes));
  parser_->body_limit(limits_.body_bytes);
  parser_->skip(to_head_request_);
}

asio::mutable_buffer response_reader::space() {
  if (held_ == size_) grow(2 * size_);
  return {bytes() + held_, size_ - held_};
}

void response_reader::grow(std::size_t wanted) {
  const std::size_t size = std::min(wanted, limits_.header_bytes);
  std::unique_ptr<char[]> larger(new char[size]);  // NOLINT: not worth filling with zeros
  std::memcpy(larger.get(), bytes(), held_);
  more_ = std::move(larger);
  size_ = size;
}

response_reader::progress response_reader::took(std::size_t n) {
  received_ = received_ || n > 0;
  held_ += n;
  const bool filled = held_ == size_;
  const progress p = parse();
  if (p != progress::unfinished) return p;
  if (held_ == limits_.header_bytes) return refuse(http::error::buffer_overflow);
  const std::size_t bulk = std::min(bulk_size, limits_.header_bytes);
  if (filled && size_ < bulk && parser_->is_header_done()) grow(bulk);
  return p;
}

response_reader::progress response_reader::took_end() {
  if (!parser_->got_some()) return refuse(http::error::end_of_stream);
  error_code ec;
  parser_->put_eof(ec);
  return ec ? refuse(ec) : progress::complete;
}

response_reader::progress response_reader::parse() {
  std::size_t used = 0;
  error_code ec;
  while (used < held_ && !ec && !parser_->is_done()) {
    const bool in_head = !parser_->is_header_done();
    if (!in_head && parser_->chunked() && held_ - used < last_chunk && bytes()[used] == '0') break;
    used += parser_->put(asio::const_buffer(bytes() + used, held_ - used), ec);
    if (!in_head || !parser_->is_header_done()) continue;
    if (const error_code bad = judge_head()) return refuse(bad);
    if (is_interim(parser_->response().status)) {
      if (++interim_ > most_interim) return refuse(errc::bad_response);
      renew_parser();
    } else {
      parser_->eager(true);  // of the body, all there is
    }
  }
  held_ -= used;
  if (held_ > 0) std::memmove(bytes(), bytes() + used, held_);
  if (ec && ec != http::error::need_more) return refuse(ec);
  return parser_->is_done() ? progress::complete : progress::unfinished;
}

error_code response_reader::judge_head() const {
  const http_response& r = parser_->response();
  response_head h;
  h.status = r.status;
  h.version = parser_->version();
  for (const auto& [name, value] : r.fields) {
    if (same_name(name, "transfer-encoding")) h.transfer_encodings.emplace_back(value);
  }
  return check_head(h);
}

response_reader::progress response_reader::refuse(error_code why) noexcept {
  error_ = meaning_of_error(why, received_);
  return progress::refused;
}

error_code response_reader::meaning_of_error(error_code ec, bool received) {
  if (ec == http::error::end_of_stream || ec == http::error::partial_message ||
      is_closed_by_peer(ec)) {
    return received ? errc::partial_response : errc::peer_closed;
  }
  if (!is_beast_error(ec)) return ec;
  if (ec == http::error::body_limit) return errc::body_too_large;
  if (ec == http::error::header_limit || ec == http::error::buffer_overflow) {
    return errc::header_too_large;
  }
  return errc::bad_response;
}

exchange_end response_reader::end(bool request_complete) const {
  exchange_end e;
  e.request_complete = request_complete;
  e.keep_alive = parser_->keep_alive();
  e.ended_by_close = parser_->need_eof();
  e.leftover = held_;
  return e;
}

}  // namespace redial::inline REDIAL_ABI::detail
