// SPDX-License-Identifier: Apache-2.0

#include "http/http_call.hpp"

#include <redial/http/impl/response_handler.hpp>

#include "client/recycled.hpp"
#include "http/request_check.hpp"

#include <boost/asio/error.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <tuple>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

// Beast keeps each field in a cell of its own; those of a usual request fit on the stack.
using cells = std::pmr::polymorphic_allocator<char>;
using head_message = http::request<http::empty_body, http::basic_fields<cells>>;

template <class Text>
void append(Text& text, std::string_view more) {
  text.insert(text.end(), more.begin(), more.end());
}

template <class Text>
void append(Text& text, const head_message& message) {
  head_message::fields_type::writer written(message, message.version(), message.method());
  const auto parts = written.get();
  for (const asio::const_buffer b : boost::beast::buffers_range_ref(parts)) {
    append(text, std::string_view(static_cast<const char*>(b.data()), b.size()));
  }
}

}  // namespace

http_call::http_call(http_request request) : request_(std::move(request)) {}

void http_call::prepare(std::string_view authority, std::string_view user_agent, bool idempotent) {
  idempotent_ = idempotent;
  std::array<std::byte, 1024> room;  // NOLINT: no need to fill it
  std::pmr::monotonic_buffer_resource memory(room.data(), room.size());
  head_message message(
      std::piecewise_construct, std::make_tuple(), std::make_tuple(cells(&memory)));
  message.version(11);
  message.method_string(request_.method);
  message.target(request_.target);
  // Host first (RFC 9110 §7.2), and only one.
  const auto own = request_.fields.get("host");
  message.insert(http::field::host, own.empty() ? authority : own);
  if (!user_agent.empty() && !request_.fields.contains("user-agent")) {
    message.insert(http::field::user_agent, user_agent);
  }
  for (const auto& [name, value] : request_.fields) {
    if (http::string_to_field(name) != http::field::host) message.insert(name, value);
  }
  if (!request_.body.empty() || expects_body(request_.method)) {
    message.content_length(request_.body.size());
  }
  append(head_, message);
}

bool http_call::prepare_usual(std::string_view rest, bool idempotent) {
  const bool usual =
      request_.fields.size() == 0 && request_.body.empty() && !expects_body(request_.method);
  if (!usual) return false;
  idempotent_ = idempotent;
  append(head_, request_.method);
  head_.push_back(' ');
  append(head_, request_.target);
  append(head_, rest);
  return true;
}

std::string usual_rest_of_head(std::string_view authority, std::string_view user_agent) {
  http_call call(http_request("GET", "/"));
  call.prepare(authority, user_agent, true);
  const auto head = call.bytes().front();
  const std::string_view text(static_cast<const char*>(head.data()), head.size());
  return std::string(text.substr(std::string_view("GET /").size()));
}

void http_call::keep(std::uint32_t number, http_response response, bool final) {
  const std::lock_guard lock(mutex_);
  if (taken_ || final_ || (!final && number < number_)) return;
  final_ = final;
  number_ = number;
  response_ = std::move(response);
}

std::optional<http_response> http_call::take() {
  const std::lock_guard lock(mutex_);
  taken_ = true;
  return std::exchange(response_, std::nullopt);
}

std::shared_ptr<http_call> make_http_call(http_request request) {
  return std::allocate_shared<http_call>(recycling_allocator<http_call>(), std::move(request));
}

http_response take_response(http_call& call, error_code& ec, call_history history) {
  std::optional<http_response> response = call.take();
  // Who cancels or closes wants no response; everybody else is better off with the last one.
  const bool unwanted = ec == errc::closed || ec == asio::error::operation_aborted;
  if (!response || unwanted) {
    response.emplace();
  } else {
    ec = {};
  }
  response->history = std::move(history);
  return std::move(*response);
}

}  // namespace redial::inline REDIAL_ABI::detail
