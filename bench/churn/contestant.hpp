// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the load generator asks of a client under test.

#include <redial/core/time.hpp>

#include <cstdint>
#include <functional>
#include <string>

namespace redial::churn {

/// How one request ended.
struct reply {
  bool ok = false;             ///< A 200 with a backend's name in it.
  std::string backend;         ///< The name of the backend that answered.
  std::uint32_t attempts = 0;  ///< Zero: the client does not say.
  std::string error;           ///< Why not `ok`.
};

/// A client under test: sends `GET /<id()>/<request>` to its service.
///
/// \par Threads Used on the thread of its own io_context only.
class contestant {
 public:
  using handler = std::function<void(reply)>;

  virtual ~contestant() = default;

  /// One word of lower-case letters and digits.
  [[nodiscard]] virtual const std::string& id() const noexcept = 0;
  /// Sends one request. `done` is called once, by `deadline` or shortly after it.
  virtual void async_get(std::uint64_t request, time_point deadline, handler done) = 0;
  /// Connections opened so far. Zero: the client does not say.
  [[nodiscard]] virtual std::uint64_t connections() const = 0;
  /// Ends everything in flight, so that its io_context runs out of work.
  virtual void close() = 0;
};

}  // namespace redial::churn
