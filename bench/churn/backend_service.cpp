// SPDX-License-Identifier: Apache-2.0
#include "churn/backend_service.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace redial::churn {

namespace {

constexpr std::array<std::pair<manner, std::string_view>, 4> manners{{
    {manner::serve, "serve"},
    {manner::mute, "mute"},
    {manner::unavailable, "unavailable"},
    {manner::drain, "drain"},
}};

}  // namespace

std::string_view to_string(manner m) noexcept {
  for (const auto& [value, text] : manners) {
    if (value == m) return text;
  }
  return "?";
}

std::optional<manner> parse_manner(std::string_view text) noexcept {
  for (const auto& [value, name] : manners) {
    if (name == text) return value;
  }
  return std::nullopt;
}

backend_service::backend_service(backend_options options)
    : options_(std::move(options)),
      fd_(::open(options_.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)),
      // Processes that ran one after the other share a log.
      connections_(static_cast<std::uint64_t>(::getpid()) << 32) {
  if (fd_ < 0) throw std::system_error(errno, std::generic_category(), options_.log);
}

backend_service::~backend_service() { ::close(fd_); }

std::uint64_t backend_service::number_connection() noexcept {
  return connections_.fetch_add(1, std::memory_order_relaxed);
}

duration backend_service::time_for(std::uint64_t id) const noexcept {
  // Fibonacci hashing: neighbours get unlike times.
  const auto mixed = (id * 11400714819323198485ULL) >> 32;
  const auto usual = options_.service_time;
  return usual / 2 + usual * static_cast<long>(mixed % 1000) / 1000;
}

void backend_service::log(std::string_view contestant,
                          std::uint64_t id,
                          std::uint64_t connection) const {
  log_line line;
  line.at = clock::now();
  line.contestant = contestant;
  line.id = id;
  line.connection = connection;
  const auto text = to_string(line);
  if (::write(fd_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw std::system_error(errno, std::generic_category(), options_.log);
  }
}

}  // namespace redial::churn
