// SPDX-License-Identifier: Apache-2.0
#pragma once

// A mutex for the hot path: what it costs when nobody else wants it, inline, is one atomic
// operation to lock it and one to unlock it.

#include <redial/core/abi.hpp>

#include <boost/config.hpp>

#include <atomic>
#include <cstdint>

#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define REDIAL_KNOWS_SINGLE_THREADED 1
#endif

namespace redial::inline REDIAL_ABI::detail {

/// As `std::mutex`, for sections of some dozen instructions. (U. Drepper, Futexes Are Tricky, 2011,
/// mutex 2.) A `std::mutex` of glibc spends 114 instructions on two locks and unlocks, more than a
/// checkout and return do under them.
///
/// Like glibc's own it does without atomic operations as long as the process has one thread.
class short_mutex {
 public:
  short_mutex() = default;
  short_mutex(const short_mutex&) = delete;
  short_mutex& operator=(const short_mutex&) = delete;

  void lock() noexcept {
    if (BOOST_UNLIKELY(!try_lock())) lock_contended();
  }
  [[nodiscard]] bool try_lock() noexcept {
    std::uint32_t expected = is_free;
    if (!is_single_threaded()) {
      return state_.compare_exchange_strong(
          expected, is_held, std::memory_order_acquire, std::memory_order_relaxed);
    }
    if (state_.load(std::memory_order_relaxed) != is_free) return false;
    state_.store(is_held, std::memory_order_relaxed);
    return true;
  }
  /// Of a mutex that somebody else may have locked, and destroyed, since then, only the address is
  /// used.
  void unlock() noexcept {
    if (is_single_threaded()) {
      state_.store(is_free, std::memory_order_relaxed);
    } else if (BOOST_UNLIKELY(state_.exchange(is_free, std::memory_order_release) == is_awaited)) {
      wake_one();
    }
  }

 private:
  static constexpr std::uint32_t is_free = 0;
  static constexpr std::uint32_t is_held = 1;
  static constexpr std::uint32_t is_awaited = 2;  // held, and somebody may sleep until it is not

  static bool is_single_threaded() noexcept {
#ifdef REDIAL_KNOWS_SINGLE_THREADED
    return __libc_single_threaded != 0;
#else
    return false;
#endif
  }
  REDIAL_API void lock_contended() noexcept;
  REDIAL_API void wake_one() noexcept;

  std::atomic<std::uint32_t> state_{is_free};
};

}  // namespace redial::inline REDIAL_ABI::detail
