// SPDX-License-Identifier: Apache-2.0
#include "churn/progress.hpp"

#include "churn/record.hpp"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace redial::churn {

namespace {

constexpr std::size_t bar_width = 20;
constexpr std::size_t most_in_detail = 3;

std::size_t terminal_width() {
  winsize size{};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

bool is_terminal() {
  const char* kind = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
}

// What a backend is to its clients just now, padded to one width.
std::string_view state_text(char state) {
  switch (state) {
    case '+':
      return "in DNS     ";
    case '!':
      return "in DNS,DEAD";
    case '-':
      return "running    ";
    default:
      return "dead       ";
  }
}

std::string bar(std::uint64_t rate, std::uint64_t full) {
  const auto cells =
      full == 0 ? 0 : std::min<std::uint64_t>(bar_width, (rate * bar_width + full - 1) / full);
  std::string text;
  for (std::uint64_t i = 0; i < cells; ++i) text += "\u2588";
  text.append(bar_width - cells, ' ');
  return text;
}

}  // namespace

std::string failures_text(const std::vector<watched_contestant>& contestants) {
  std::string text;
  for (const auto& c : contestants) {
    const auto failed = c.live->failed.load(std::memory_order_relaxed);
    if (failed != 0) text += fmt::format("{} {} {}", text.empty() ? "" : ",", c.id, failed);
  }
  return "failed so far:" + (text.empty() ? " none" : text);
}

progress::progress(std::vector<watched_contestant> contestants,
                   std::size_t backends,
                   duration length)
    : who_(std::move(contestants)),
      backends_(std::min<std::size_t>(backends, 26)),
      length_(length),
      terminal_(is_terminal()) {
  for (const auto& c : who_) {
    rows_.emplace_back();
    rows_.back().who = c;
  }
}

progress::~progress() { std::fflush(stdout); }

void progress::event(duration at, const std::string& text) {
  if (terminal_ && drawn_lines_ != 0) {
    // Above the table, which is drawn anew below it.
    fmt::print("\x1b[{}A\x1b[J", drawn_lines_);
    drawn_lines_ = 0;
  }
  fmt::print("{:5.1f} s  {}\n", seconds(at), text);
  std::fflush(stdout);
}

void progress::tick(duration at, std::string_view states) {
  const auto second = std::chrono::floor<std::chrono::seconds>(at).count();
  const bool next = second != last_second_;
  if (next) {
    last_second_ = second;
    measure();
  }
  if (terminal_) {
    is_crowded() ? draw_line(at) : draw(at, states);
  } else if (next && second > 0) {
    print_line(at);
  }
  std::fflush(stdout);
}

void progress::measure() {
  for (auto& r : rows_) {
    for (std::size_t b = 0; b < backends_; ++b) {
      const auto total = r.who.live->by_backend[b].load(std::memory_order_relaxed);
      r.rate[b] = total - r.before[b];
      r.before[b] = total;
    }
  }
}

void progress::draw(duration at, std::string_view states) {
  std::string text;
  if (drawn_lines_ != 0) text += fmt::format("\x1b[{}A", drawn_lines_);
  text += fmt::format("\x1b[K\n\x1b[K{:5.1f} of {:.0f} s      ", seconds(at), seconds(length_));
  for (const auto& r : rows_) text += fmt::format("  {:<28}", r.who.title);
  text += "\n";
  for (std::size_t b = 0; b < backends_; ++b) {
    const char state = b < states.size() ? states[b] : ' ';
    text += fmt::format(
        "\x1b[K  {}  {} ", static_cast<char>('A' + static_cast<int>(b)), state_text(state));
    for (const auto& r : rows_) {
      std::uint64_t all = 0;
      for (const auto rate : r.rate) all += rate;
      // Answers from an address that is not in DNS: what this is all about.
      const char* colour = state == '+' || state == '!' ? "\x1b[32m" : "\x1b[33m";
      text += fmt::format("  {}{}\x1b[0m {:3}/s  ", colour, bar(r.rate[b], all), r.rate[b]);
    }
    text += "\n";
  }
  text += "\x1b[K  failed         ";
  for (const auto& r : rows_) {
    const auto failed = r.who.live->failed.load(std::memory_order_relaxed);
    text += fmt::format("  {}{:<28}\x1b[0m", failed == 0 ? "" : "\x1b[31m", failed);
  }
  text += "\n";
  std::fputs(text.c_str(), stdout);
  drawn_lines_ = backends_ + 3;
}

bool progress::is_crowded() const noexcept { return rows_.size() > most_in_detail; }

void progress::draw_line(duration at) {
  auto text =
      fmt::format("{:5.1f} of {:.0f} s  {}", seconds(at), seconds(length_), failures_text(who_));
  // A line that wraps could not be drawn over. The last column stays free.
  text.resize(std::min(text.size(), terminal_width() - 1));
  fmt::print("{}\x1b[K{}\n", drawn_lines_ != 0 ? "\x1b[1A" : "", text);
  drawn_lines_ = 1;
}

void progress::print_line(duration at) const {
  if (is_crowded()) {
    fmt::print("{:5.0f} s  {}\n", seconds(at), failures_text(who_));
    return;
  }
  std::string text = fmt::format("{:5.0f} s", seconds(at));
  for (const auto& r : rows_) {
    text += fmt::format("  | {}: {} failed, answers/s",
                        r.who.title,
                        r.who.live->failed.load(std::memory_order_relaxed));
    for (std::size_t b = 0; b < backends_; ++b) {
      if (r.rate[b] != 0)
        text += fmt::format(" {}:{}", static_cast<char>('A' + static_cast<int>(b)), r.rate[b]);
    }
  }
  fmt::print("{}\n", text);
}

}  // namespace redial::churn
