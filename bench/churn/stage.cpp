// SPDX-License-Identifier: Apache-2.0
#include "churn/stage.hpp"

#include "churn/recorder.hpp"

#include <fmt/core.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

namespace redial::churn {

namespace {

void open_span(std::vector<span>& spans, duration at) {
  if (spans.empty() || spans.back().to != duration::max()) spans.push_back({at, duration::max()});
}

void close_span(std::vector<span>& spans, duration at) {
  if (!spans.empty() && spans.back().to == duration::max()) spans.back().to = at;
}

bool is_open(const std::vector<span>& spans) {
  return !spans.empty() && spans.back().to == duration::max();
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace

temporary_directory::temporary_directory()
    : path_((std::filesystem::temp_directory_path() / "redial-churn-XXXXXX").string()) {
  if (::mkdtemp(path_.data()) == nullptr) {
    throw std::system_error(errno, std::generic_category(), path_);
  }
}

temporary_directory::~temporary_directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

stage::stage(const stage_options& options) : options_(options) {
  std::vector<std::string> hosts;
  // 127.0.0.1 stays the clients' own.
  for (std::size_t i = 0; i < options_.backends; ++i)
    hosts.push_back(fmt::format("127.0.0.{}", i + 2));
  port_ = find_common_port(hosts);
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    backend b;
    b.record.name = std::string(1, static_cast<char>('A' + static_cast<int>(i)));
    b.record.address = fmt::format("{}:{}", hosts[i], port_);
    b.host = hosts[i];
    b.log = fmt::format("{}/{}.log", directory_.path(), b.record.name);
    launch(b);
    backends_.push_back(std::move(b));
  }
  point_to(options_.first);
}

duration stage::now() const {
  const auto t = clock::now();
  return t > start_ ? t - start_ : duration::zero();
}

stage::backend& stage::at(char letter) {
  const auto i = static_cast<std::size_t>(letter - 'A');
  if (letter < 'A' || i >= backends_.size()) {
    throw std::out_of_range(fmt::format("there is no backend {}", letter));
  }
  return backends_[i];
}

void stage::launch(backend& b) {
  backend_options o;
  o.name = b.record.name;
  o.listen = {b.record.address};
  o.log = b.log;
  b.process = backend_process(o);
  open_span(b.record.alive, now());
}

void stage::begin(time_point start) { start_ = start; }

void stage::publish(std::string_view letters) {
  std::vector<std::string> addresses;
  for (const char letter : letters) addresses.push_back(at(letter).host);
  for (const auto& host : options_.hosts) dns_.set(host, record_type::a, addresses, options_.ttl);
}

void stage::point_to(std::string_view letters) {
  // New addresses count from before the change, old ones until after it: nobody is blamed for the
  // moment in between.
  for (const char letter : letters) open_span(at(letter).record.in_dns, now());
  publish(letters);
  for (auto& b : backends_) {
    if (letters.find(b.record.name) == letters.npos) close_span(b.record.in_dns, now());
  }
}

void stage::kill(std::string_view letters) {
  for (const char letter : letters) {
    at(letter).process.kill();
    close_span(at(letter).record.alive, now());
  }
}

void stage::start(std::string_view letters) {
  for (const char letter : letters) launch(at(letter));
}

void stage::silence(bool on) {
  dns_.silence(on);
  if (on) {
    open_span(silent_, now());
  } else {
    close_span(silent_, now());
  }
}

std::string stage::states() const {
  std::string states;
  for (const auto& b : backends_) {
    const bool named = is_open(b.record.in_dns);
    const bool runs = is_open(b.record.alive);
    states += named ? (runs ? '+' : '!') : (runs ? '-' : ' ');
  }
  return states;
}

void stage::fill(run_record& run) const {
  run.dns_silent = silent_;
  for (const auto& b : backends_) run.backends.push_back(b.record);
  for (std::size_t i = 0; i < backends_.size(); ++i) {
    const auto log = parse_backend_log(read_file(backends_[i].log));
    if (log.broken != 0) {
      throw std::runtime_error(fmt::format(
          "backend {}: {} lines of its log are broken", backends_[i].record.name, log.broken));
    }
    add_servings(run, i, log, start_);
  }
}

}  // namespace redial::churn
