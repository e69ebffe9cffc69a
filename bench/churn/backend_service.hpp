// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the protocols of one backend process share.

#include "churn/backend.hpp"
#include "churn/recorder.hpp"

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace redial::churn {

/// What a backend does with requests. It accepts connections in all of them.
enum class manner {
  serve,        ///< 200.
  mute,         ///< Never answers, neither what comes nor what it is working on.
  unavailable,  ///< 503 at once.
  drain,        ///< 200, and the connection ends with the response.
};
[[nodiscard]] std::string_view to_string(manner m) noexcept;
[[nodiscard]] std::optional<manner> parse_manner(std::string_view text) noexcept;

/// \par Threads Safe from any thread.
class backend_service {
 public:
  /// \throws std::system_error when the log cannot be opened.
  explicit backend_service(backend_options options);
  ~backend_service();
  backend_service(const backend_service&) = delete;
  backend_service& operator=(const backend_service&) = delete;

  [[nodiscard]] const backend_options& options() const noexcept { return options_; }
  [[nodiscard]] manner how() const noexcept { return how_.load(std::memory_order_acquire); }
  void behave(manner m) noexcept { how_.store(m, std::memory_order_release); }

  /// A number for a connection that no other connection to any backend of this run has.
  [[nodiscard]] std::uint64_t number_connection() noexcept;
  /// How long the response to request `id` takes.
  [[nodiscard]] duration time_for(std::uint64_t id) const noexcept;
  /// Writes down that request `id` of `contestant` is here now.
  /// \throws std::system_error when that cannot be written.
  void log(std::string_view contestant, std::uint64_t id, std::uint64_t connection) const;

 private:
  backend_options options_;
  int fd_;
  std::atomic<manner> how_{manner::serve};
  std::atomic<std::uint64_t> connections_;
};

}  // namespace redial::churn
