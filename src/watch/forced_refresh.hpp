// SPDX-License-Identifier: Apache-2.0
#pragma once

// Requests to refresh now: granted at most once per interval, put off otherwise, never dropped.

#include <redial/core/time.hpp>

namespace redial::inline REDIAL_ABI::detail {

class forced_refresh {
 public:
  explicit forced_refresh(duration interval) noexcept : interval_(interval) {}

  /// True: refresh now. False: it is due at the end of the interval.
  bool want(time_point now) noexcept {
    const time_point allowed =
        granted_at_ == time_point::min() ? now : after(granted_at_, interval_);
    if (now < allowed) {
      due_ = allowed;
      return false;
    }
    granted_at_ = now;
    due_ = time_point::max();
    return true;
  }
  /// When one that was put off is to be wanted again; `time_point::max()`: there is none.
  [[nodiscard]] time_point due() const noexcept { return due_; }

 private:
  duration interval_;
  time_point granted_at_ = time_point::min();
  time_point due_ = time_point::max();
};

}  // namespace redial::inline REDIAL_ABI::detail
