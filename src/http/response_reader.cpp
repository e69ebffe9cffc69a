// SPDX-License-Identifier: Apache-2.0

// Sources: RFC 9112 §6 (framing), §9 (connections), RFC 9110 §15.2 (interim responses).

#include "http/response_reader.hpp"

#include "client/failure_class.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace redial::detail {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

// Enough for every 103 a page may have; an endless stream of them is no response.
constexpr int most_interim = 16;

bool is_beast_error(const error_code& ec) {
  return ec.category() == http::make_error_code(http::error::bad_version).category();
}

}  // namespace

response_reader::response_reader(const response_limits& limits, bool to_head_request)
    : limits_(limits),
      to_head_request_(to_head_request),
      // The parser bounds the head only; chunk extensions and trailers would grow the buffer.
      buffer_(limits.header_bytes) {
  renew_parser();
}

void response_reader::renew_parser() {
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(limits_.header_bytes));
  parser_->body_limit(limits_.body_bytes);
  parser_->skip(to_head_request_);
}

response_reader::head response_reader::on_head() {
  const auto& message = parser_->get();
  response_head h;
  h.status = message.result_int();
  h.version = message.version();
  const auto codings = message.equal_range(http::field::transfer_encoding);
  for (auto f = codings.first; f != codings.second; ++f) {
    h.transfer_encodings.emplace_back(f->value().data(), f->value().size());
  }
  error_ = check_head(h);
  if (!error_ && is_interim(h.status) && ++interim_ > most_interim) error_ = errc::bad_response;
  if (error_) return head::refused;
  if (is_interim(h.status)) {
    renew_parser();
    return head::interim;
  }
  return parser_->is_done() ? head::complete : head::body_follows;
}

error_code response_reader::meaning_of_error(error_code ec, bool received) const {
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
  e.leftover = buffer_.size();
  return e;
}

http_response response_reader::take() {
  auto message = parser_->release();
  http_response r;
  r.status = static_cast<std::uint16_t>(message.result_int());
  r.reason = std::string(message.reason());
  for (const auto& f : message) {
    r.fields.add(std::string(f.name_string()), std::string(f.value()));
  }
  r.body = std::move(message.body());
  return r;
}

}  // namespace redial::detail
