// SPDX-License-Identifier: Apache-2.0
#pragma once

// Beast's parser, which here fills an `http_response` and no message of Beast's: no field is kept
// twice.

#include <redial/http/message.hpp>

#include <boost/beast/http/basic_parser.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {

/// Good for one message.
class response_parser final : public boost::beast::http::basic_parser<false> {
 public:
  [[nodiscard]] const http_response& response() const noexcept { return response_; }
  [[nodiscard]] http_response release() noexcept { return std::move(response_); }
  /// 10 or 11, once the head is done.
  [[nodiscard]] unsigned version() const noexcept { return version_; }

 private:
  using text = boost::beast::string_view;
  using code = boost::beast::error_code;
  using length = boost::optional<std::uint64_t>;

  static std::string_view view(text t) noexcept { return {t.data(), t.size()}; }

  void on_request_impl(boost::beast::http::verb, text, text, int, code&) override {}
  void on_response_impl(int status, text reason, int version, code& ec) override {
    response_.status = static_cast<std::uint16_t>(status);
    response_.reason = view(reason);
    version_ = static_cast<unsigned>(version);
    ec = {};
  }
  void on_field_impl(boost::beast::http::field, text name, text value, code& ec) override {
    response_.fields.append(view(name), view(value));
    ec = {};
  }
  void on_header_impl(code& ec) override { ec = {}; }

  // What a head promises is believed only so far: the rest has to come first.
  void on_body_init_impl(const length& promised, code& ec) override {
    constexpr std::uint64_t believed = 64UL * 1024;
    if (promised) response_.body.reserve(static_cast<std::size_t>(std::min(*promised, believed)));
    ec = {};
  }
  std::size_t on_body_impl(text part, code& ec) override {
    response_.body.append(part.data(), part.size());
    ec = {};
    return part.size();
  }
  void on_chunk_header_impl(std::uint64_t, text, code& ec) override { ec = {}; }
  std::size_t on_chunk_body_impl(std::uint64_t, text part, code& ec) override {
    return on_body_impl(part, ec);
  }
  void on_finish_impl(code& ec) override { ec = {}; }

  http_response response_;
  unsigned version_ = 11;
};

}  // namespace redial::inline REDIAL_ABI::detail
