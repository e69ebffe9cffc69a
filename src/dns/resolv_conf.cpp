// SPDX-License-Identifier: Apache-2.0
#include "dns/resolv_conf.hpp"

#include <algorithm>
#include <charconv>

namespace redial::inline REDIAL_ABI::detail {
namespace {

constexpr std::string_view blanks = " \t\r\f\v";
constexpr int longest_timeout = 30;  // RES_MAXRETRANS
constexpr int most_attempts = 5;     // RES_MAXRETRY

// The next word of `line`, taken off its front.
std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
  const auto word = line.substr(0, line.find_first_of(blanks));
  line.remove_prefix(word.size());
  return word;
}

void add_server(resolv_conf& out, const nameserver& server) {
  if (out.servers.size() < resolv_conf::most_servers) add_once(out.servers, server);
}

// Sets `value` when `word` is `name` and a number.
void read_number(std::string_view word, std::string_view name, int most, int& value) {
  if (!word.starts_with(name)) return;
  word.remove_prefix(name.size());
  int number = 0;
  const auto [end, ec] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (end != word.data() + word.size()) return;
  if (ec == std::errc::result_out_of_range && word.front() != '-') number = most;
  if (number >= 1) value = std::min(number, most);
}

void read_options(std::string_view line, resolv_conf& out) {
  while (true) {
    const auto word = take_word(line);
    if (word.empty()) return;
    read_number(word, "timeout:", longest_timeout, out.timeout);
    read_number(word, "attempts:", most_attempts, out.attempts);
    if (word == "rotate") out.rotate = true;
    if (word == "use-vc") out.use_vc = true;
  }
}

}  // namespace

resolv_conf parse_resolv_conf(std::string_view text) {
  resolv_conf out;
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    line = line.substr(0, line.find_first_of("#;"));
    const auto keyword = take_word(line);
    if (keyword == "options") read_options(line, out);
    if (keyword != "nameserver") continue;
    if (const auto server = parse_nameserver(take_word(line))) add_server(out, *server);
  }
  return out;
}

}  // namespace redial::inline REDIAL_ABI::detail
