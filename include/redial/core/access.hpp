// SPDX-License-Identifier: Apache-2.0
#pragma once

// The one door into what the library's own layers share and users have no business with.

#include <redial/core/abi.hpp>

#include <cstddef>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {

/// Friend of the public classes that have something behind this door. Not part of the interface:
/// it may change in any release.
struct access {
  /// What a class is made of: a stream's socket, a client's untyped part.
  template <class T>
  [[nodiscard]] static auto base(T& t) noexcept -> decltype(t.base()) {
    return t.base();
  }
  /// Objects whose constructor takes what only the library has.
  template <class T, class... Parts>
  [[nodiscard]] static T make(Parts&&... parts) {
    return T(std::forward<Parts>(parts)...);
  }
  /// Connections that count their bytes begin anew with each attempt.
  template <class T>
  static auto reset_counts(T& t) -> decltype(t.reset_counts()) {
    return t.reset_counts();
  }
  /// Who reads through a stream's base counts by hand.
  template <class T>
  static void count_read(T& t, std::size_t n) noexcept {
    t.count_read(n);
  }
};

}  // namespace redial::inline REDIAL_ABI::detail
