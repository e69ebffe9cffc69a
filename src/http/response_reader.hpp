// SPDX-License-Identifier: Apache-2.0
#pragma once

// The receiving half of one exchange: parser, buffer, limits, and what each error means.

#include <redial/core/error.hpp>
#include <redial/http/message.hpp>

#include "http/response_parser.hpp"
#include "http/reuse_rule.hpp"

#include <boost/asio/buffer.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <optional>

namespace redial::inline REDIAL_ABI::detail {

struct response_limits {
  std::size_t header_bytes = 0;
  std::size_t body_bytes = 0;
};

/// Takes the bytes of one response in whatever pieces they come. Used by one exchange, on the
/// connection's executor. The I/O itself is the exchange's: read into `space()`, tell `took()`.
class response_reader {
 public:
  enum class progress { unfinished, complete, refused };

  response_reader(const response_limits& limits, bool to_head_request);
  response_reader(const response_reader&) = delete;
  response_reader& operator=(const response_reader&) = delete;

  /// Where the next read goes; never empty. Valid until `took` or `space` is called.
  [[nodiscard]] boost::asio::mutable_buffer space();
  /// `n` bytes are in `space()`. `refused`: see `error()`. Interim responses are skipped.
  [[nodiscard]] progress took(std::size_t n);
  /// The peer has closed in good order. `refused`: that was too early.
  [[nodiscard]] progress took_end();
  [[nodiscard]] error_code error() const noexcept { return error_; }

  /// What a failed read means. `received`: has any byte of the response arrived?
  [[nodiscard]] static error_code meaning_of_error(error_code ec, bool received);

  /// After `complete`.
  [[nodiscard]] exchange_end end(bool request_complete) const;
  [[nodiscard]] http_response take() noexcept { return parser_->release(); }

 private:
  // Most responses fit, so that most exchanges need no more memory than they are made with.
  static constexpr std::size_t first_size = 4UL * 1024;
  static constexpr std::size_t bulk_size = 64UL * 1024;

  void renew_parser();
  [[nodiscard]] char* bytes() noexcept { return more_ ? more_.get() : first_.data(); }
  void grow(std::size_t wanted);
  [[nodiscard]] progress parse();
  [[nodiscard]] error_code judge_head() const;
  [[nodiscard]] progress refuse(error_code why) noexcept;

  const response_limits limits_;
  const bool to_head_request_;
  int interim_ = 0;
  bool received_ = false;  // a byte, also of an interim response
  error_code error_;
  std::optional<response_parser> parser_;  // good for one message
  std::size_t held_ = 0;                   // bytes at the front that the parser could not use yet
  std::size_t size_;                       // of what `bytes()` points to
  std::unique_ptr<char[]> more_;           // NOLINT: uninitialised until read into
  std::array<char, first_size> first_;     // NOLINT: likewise
};

}  // namespace redial::inline REDIAL_ABI::detail
