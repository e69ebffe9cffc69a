// SPDX-License-Identifier: Apache-2.0

#include <redial/client/call.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <iterator>
#include <string>

namespace redial::inline REDIAL_ABI {

std::string call_history::text() const {
  std::string out;
  std::size_t number = 0;
  for (const attempt_record& a : attempts) {
    const std::chrono::duration<double, std::milli> ms = a.elapsed;
    fmt::format_to(std::back_inserter(out),
                   "{}: {}, {:.1f} ms, {}{}: {} ({}:{})\n",
                   ++number,
                   a.where.port == 0 ? std::string("no connection") : to_string(a.where),
                   ms.count(),
                   a.sent ? "sent" : "not sent",
                   a.reused ? ", reused connection" : "",
                   a.error.message(),
                   a.error.category().name(),
                   a.error.value());
  }
  return out;
}

}  // namespace redial::inline REDIAL_ABI
