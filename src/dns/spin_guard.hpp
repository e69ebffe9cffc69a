// SPDX-License-Identifier: Apache-2.0
#pragma once

// Notices a descriptor that is ready again and again while nothing comes of it.

#include <redial/core/time.hpp>

namespace redial::inline REDIAL_ABI::detail {

/// c-ares 1.34.8 does not notice the end of a TCP stream inside a frame: the socket stays readable
/// and the loop turns at full speed until the query's timeout. More than 50 times in 10 ms is no
/// traffic: a response of 64 kB takes fewer, and one byte at a time comes slower.
class spin_guard {
 public:
  static constexpr int most = 50;
  static constexpr duration window = std::chrono::milliseconds{10};

  /// The descriptor became ready. True when it spins.
  [[nodiscard]] bool ready(time_point now) noexcept {
    if (count_ == 0 || now - start_ >= window) {
      start_ = now;
      count_ = 0;
    }
    return ++count_ > most;
  }
  /// Something came of it.
  void progress() noexcept { count_ = 0; }

 private:
  time_point start_{};
  int count_ = 0;
};

}  // namespace redial::inline REDIAL_ABI::detail
