// SPDX-License-Identifier: Apache-2.0
#include "churn/line_protocol.hpp"

#include "churn/outstanding.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace redial::churn {

namespace {

std::string_view take_word(std::string_view& rest) {
  const auto end = std::min(rest.find(' '), rest.size());
  const auto word = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return word;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, ec] = std::from_chars(text.data(), end, value);
  if (text.empty() || ec != std::errc{} || stop != end) return std::nullopt;
  return value;
}

}  // namespace

std::string get_line(std::uint64_t request, duration left) {
  using std::chrono::microseconds;
  const auto us = std::max<microseconds>(microseconds::zero(),
                                         std::chrono::duration_cast<microseconds>(left));
  return fmt::format("get {} {}\n", request, us.count());
}

client_line parse_client_line(std::string_view line) {
  client_line result;
  const auto verb = take_word(line);
  const auto number = parse_number(take_word(line));
  if (!number) return result;
  result.number = *number;
  if (verb == "ok" && !line.empty()) {
    result.what = client_line::kind::answer;
    result.answer = answered(200, std::string(line));
  } else if (verb == "fail") {
    result.what = client_line::kind::answer;
    result.answer = failed(line.empty() ? "it does not say why" : std::string(line));
  } else if (verb == "connections" && line.empty()) {
    result.what = client_line::kind::connections;
  }
  return result;
}

bool line_splitter::feed(std::string_view bytes,
                         const std::function<void(std::string_view)>& take) {
  for (auto end = bytes.find('\n'); end != bytes.npos; end = bytes.find('\n')) {
    begun_.append(bytes.substr(0, end));
    bytes.remove_prefix(end + 1);
    auto line = std::exchange(begun_, {});
    if (line.size() > longest_line) return false;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) take(line);
  }
  begun_.append(bytes);
  return begun_.size() <= longest_line;
}

}  // namespace redial::churn
