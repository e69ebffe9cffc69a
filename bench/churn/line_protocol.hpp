// SPDX-License-Identifier: Apache-2.0
#pragma once

// The words of docs/churn_line_protocol.md.

#include "churn/contestant.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace redial::churn {

/// `get <id> <microseconds>`, with its line end. What is past is zero.
[[nodiscard]] std::string get_line(std::uint64_t request, duration left);

/// What a line of an external client means.
struct client_line {
  enum class kind { answer, connections, unknown };

  kind what = kind::unknown;
  std::uint64_t number = 0;  ///< The request, or how many connections.
  reply answer;
};
[[nodiscard]] client_line parse_client_line(std::string_view line);

/// Cuts a stream of bytes into lines. Empty lines and a carriage return before the end are left
/// out.
class line_splitter {
 public:
  static constexpr std::size_t longest_line = 4096;

  /// Calls `take` with each line that is now complete. False, and nothing is to be fed any more,
  /// when a line is longer than any that means something.
  [[nodiscard]] bool feed(std::string_view bytes,
                          const std::function<void(std::string_view)>& take);

 private:
  std::string begun_;
};

}  // namespace redial::churn
