// SPDX-License-Identifier: Apache-2.0

#include "http/http_call.hpp"

#include <redial/http/impl/response_handler.hpp>

#include "http/request_check.hpp"

#include <boost/asio/error.hpp>
#include <boost/beast/http/field.hpp>

#include <memory>
#include <utility>

namespace redial::detail {

namespace http = boost::beast::http;

http_call::http_call(http_request request) : request_(std::move(request)) {}

void http_call::prepare(const std::string& authority,
                        const std::string& user_agent,
                        bool idempotent) {
  idempotent_ = idempotent;
  message_.version(11);
  message_.method_string(request_.method);
  message_.target(request_.target);
  // Host first (RFC 9110 §7.2), and only one.
  const auto own = request_.fields.get("host");
  message_.set(http::field::host, own.empty() ? authority : std::string(own));
  if (!user_agent.empty() && !request_.fields.contains("user-agent")) {
    message_.set(http::field::user_agent, user_agent);
  }
  for (const auto& [name, value] : request_.fields) {
    if (http::string_to_field(name) != http::field::host) message_.insert(name, value);
  }
  if (!request_.body.empty() || expects_body(request_.method)) {
    message_.content_length(request_.body.size());
  }
  message_.body() = std::move(request_.body);
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
  return std::make_shared<http_call>(std::move(request));
}

http_response take_response(http_call& call, error_code& ec, call_history history) {
  std::optional<http_response> response = call.take();
  // Who cancels or closes wants no response; everybody else is better off with the last one.
  const bool unwanted = ec == errc::closed || ec == boost::asio::error::operation_aborted;
  if (!response || unwanted) {
    response.emplace();
  } else {
    ec = {};
  }
  response->history = std::move(history);
  return std::move(*response);
}

}  // namespace redial::detail
