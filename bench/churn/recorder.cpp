// SPDX-License-Identifier: Apache-2.0
#include "churn/recorder.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <unordered_set>

namespace redial::churn {

namespace {

std::string_view next_word(std::string_view& rest) {
  const auto end = std::min(rest.find(' '), rest.size());
  const auto word = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return word;
}

template <class Number>
bool parse(std::string_view text, Number& out) {
  const auto* end = text.data() + text.size();
  const auto [stop, ec] = std::from_chars(text.data(), end, out);
  return ec == std::errc{} && stop == end && !text.empty();
}

std::optional<log_line> parse_line(std::string_view text) {
  std::int64_t nanoseconds = 0;
  log_line line;
  if (!parse(next_word(text), nanoseconds)) return std::nullopt;
  line.contestant = next_word(text);
  if (line.contestant.empty() || !parse(next_word(text), line.id)) return std::nullopt;
  if (!parse(next_word(text), line.connection) || !text.empty()) return std::nullopt;
  line.at = time_point{std::chrono::nanoseconds{nanoseconds}};
  return line;
}

// While DNS had the address of `backend`, for whichever of those that share it: clients know
// addresses.
std::vector<span> address_in_dns(const run_record& run, const backend_record& backend) {
  std::vector<span> all;
  for (const auto& other : run.backends) {
    if (other.address == backend.address)
      all.insert(all.end(), other.in_dns.begin(), other.in_dns.end());
  }
  return all;
}

// How long before `at` the address had left DNS; nothing while it was there or had not been yet.
std::optional<duration> absent_for(const std::vector<span>& in_dns, duration at) {
  std::optional<duration> left;
  for (const auto& s : in_dns) {
    if (at >= s.from && at < s.to) return std::nullopt;
    if (s.to <= at && (!left || s.to > *left)) left = s.to;
  }
  if (!left) return std::nullopt;
  return at - *left;
}

bool was_ever_in_dns(const backend_record& backend, duration at) {
  return std::any_of(
      backend.in_dns.begin(), backend.in_dns.end(), [at](const span& s) { return s.from <= at; });
}

}  // namespace

std::string to_string(const log_line& line) {
  const auto since = line.at.time_since_epoch();
  return fmt::format("{} {} {} {}\n",
                     std::chrono::duration_cast<std::chrono::nanoseconds>(since).count(),
                     line.contestant,
                     line.id,
                     line.connection);
}

backend_log parse_backend_log(std::string_view text) {
  backend_log log;
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto line = end == text.npos ? std::nullopt : parse_line(text.substr(0, end));
    if (line) {
      log.lines.push_back(std::move(*line));
    } else {
      ++log.broken;
    }
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return log;
}

void add_servings(run_record& run, std::size_t backend, const backend_log& log, time_point start) {
  for (auto& c : run.contestants) {
    c.servings.resize(run.backends.size());
    for (const auto& line : log.lines) {
      if (line.contestant == c.id) c.servings[backend].push_back({line.id, line.at - start});
    }
  }
}

std::size_t connections_of(const std::string& contestant, const std::vector<backend_log>& logs) {
  std::unordered_set<std::uint64_t> numbers;
  for (const auto& log : logs) {
    for (const auto& line : log.lines) {
      if (line.contestant == contestant) numbers.insert(line.connection);
    }
  }
  return numbers.size();
}

bool in_dns(const backend_record& backend, duration at) noexcept {
  return std::any_of(backend.in_dns.begin(), backend.in_dns.end(), [at](const span& s) {
    return at >= s.from && at < s.to;
  });
}

stale_use stale_use_of(const run_record& run, const contestant_record& c) {
  stale_use use;
  for (std::size_t b = 0; b < c.servings.size(); ++b) {
    const auto there = address_in_dns(run, run.backends[b]);
    for (const auto& s : c.servings[b]) {
      if (!was_ever_in_dns(run.backends[b], s.at)) ++use.strays;
      const auto absent = absent_for(there, s.at);
      if (!absent) continue;
      ++use.requests;
      if (*absent > run.settings.allowed_stale) ++use.late;
      use.last = std::max(use.last, *absent);
    }
  }
  return use;
}

std::size_t unlogged_answers(const contestant_record& c) {
  std::vector<std::unordered_set<std::uint64_t>> logged(c.servings.size());
  for (std::size_t b = 0; b < c.servings.size(); ++b) {
    for (const auto& s : c.servings[b]) logged[b].insert(s.id);
  }
  return static_cast<std::size_t>(
      std::count_if(c.requests.begin(), c.requests.end(), [&](const request_record& r) {
        if (!r.ok) return false;
        const auto b = static_cast<std::size_t>(r.backend);
        return r.backend < 0 || b >= logged.size() || logged[b].count(r.id) == 0;
      }));
}

}  // namespace redial::churn
