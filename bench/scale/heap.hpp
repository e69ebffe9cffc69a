// SPDX-License-Identifier: Apache-2.0
#pragma once

// What this program has from malloc, counted by hooks of its own: every allocation of every library
// in it, each with the size that malloc really gave and its header. OpenSSL's are counted apart,
// too.

#include <cstdint>

namespace redial::bench {

struct heap_use {
  std::int64_t bytes = 0;
  std::int64_t blocks = 0;
  std::int64_t tls_bytes = 0;  ///< Of `bytes`, those that OpenSSL asked for.

  friend heap_use operator-(const heap_use& a, const heap_use& b) noexcept {
    heap_use d;
    d.bytes = a.bytes - b.bytes;
    d.blocks = a.blocks - b.blocks;
    d.tls_bytes = a.tls_bytes - b.tls_bytes;
    return d;
  }
};

/// False in a build that cannot count (another C library, a sanitizer).
[[nodiscard]] bool heap_is_counted() noexcept;
[[nodiscard]] heap_use heap_now() noexcept;
/// Allocations since the program began.
[[nodiscard]] std::int64_t heap_allocations() noexcept;
/// The most bytes at once since the last call.
[[nodiscard]] std::int64_t take_heap_peak() noexcept;
/// For good, so that what is measured afterwards does not pay for it.
void stop_counting_heap() noexcept;
/// Counts OpenSSL's from now on. Before OpenSSL's first allocation; else it refuses, and so does
/// this with std::runtime_error.
void count_tls_heap();

/// Resident memory of this process and its greatest value, in bytes.
[[nodiscard]] std::int64_t resident_now();
[[nodiscard]] std::int64_t resident_peak();

}  // namespace redial::bench
