// SPDX-License-Identifier: Apache-2.0
#pragma once

// The receiving half of one exchange: parser, buffer, limits, and what each error means.

#include <redial/core/error.hpp>
#include <redial/http/message.hpp>

#include "http/reuse_rule.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <cstddef>
#include <optional>

namespace redial::detail {

struct response_limits {
  std::size_t header_bytes = 0;
  std::size_t body_bytes = 0;
};

/// Used by one exchange, on the connection's executor. The I/O itself is the exchange's.
class response_reader {
 public:
  using parser_type = boost::beast::http::response_parser<boost::beast::http::string_body>;
  enum class head { interim, body_follows, complete, refused };

  response_reader(const response_limits& limits, bool to_head_request);

  [[nodiscard]] boost::beast::flat_buffer& buffer() noexcept { return buffer_; }
  [[nodiscard]] parser_type& parser() noexcept { return *parser_; }

  /// A head was parsed. `interim`: read another one, the parser is new. `refused`: see `error()`.
  [[nodiscard]] head on_head();
  [[nodiscard]] error_code error() const noexcept { return error_; }

  /// What a failed read means. `received`: has any byte of the response arrived?
  [[nodiscard]] error_code meaning_of_error(error_code ec, bool received) const;

  /// After the last read.
  [[nodiscard]] exchange_end end(bool request_complete) const;
  [[nodiscard]] http_response take();

 private:
  void renew_parser();

  const response_limits limits_;
  const bool to_head_request_;
  int interim_ = 0;
  error_code error_;
  boost::beast::flat_buffer buffer_;
  std::optional<parser_type> parser_;  // good for one message
};

}  // namespace redial::detail
