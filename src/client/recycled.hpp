// SPDX-License-Identifier: Apache-2.0
#pragma once

// Memory that is needed again at once.

#include <redial/core/abi.hpp>

#include <array>
#include <cstddef>
#include <new>

// A sanitizer sees who uses what is gone only if it is gone. GCC names them by macros, clang 14 by
// features.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define REDIAL_MEMORY_IS_WATCHED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define REDIAL_MEMORY_IS_WATCHED 1
#endif
#endif

namespace redial::inline REDIAL_ABI::detail {

/// Blocks of one size that this thread gave back, for its next request. For what is larger than the
/// C library keeps at hand (1032 bytes in glibc): it would be merged with its neighbours each time,
/// and be cut out of them again.
template <std::size_t Size>
class spare_blocks {
 public:
  [[nodiscard]] static void* take() {
    store& s = mine();
    return s.count > 0 ? s.blocks[--s.count] : ::operator new(Size);
  }
  static void give(void* block) noexcept {
    store& s = mine();
    if (s.count < s.limit) {
      s.blocks[s.count++] = block;
    } else {
      ::operator delete(block);
    }
  }

 private:
  // As many calls as may be in flight to one endpoint by default (`max_connections`).
  static constexpr std::size_t most = 64;
#ifdef REDIAL_MEMORY_IS_WATCHED
  static constexpr std::size_t kept_at_most = 0;
#else
  static constexpr std::size_t kept_at_most = most;
#endif

  // Without a destructor, so that it may be used to the thread's very end: what dies after the
  // thread's own objects is given back, too.
  struct store {
    std::size_t count = 0;
    std::size_t limit = kept_at_most;
    std::array<void*, most> blocks{};
  };

  struct emptied_at_the_end {
    explicit emptied_at_the_end(store& what) noexcept : s(what) {}
    emptied_at_the_end(const emptied_at_the_end&) = delete;
    emptied_at_the_end& operator=(const emptied_at_the_end&) = delete;
    ~emptied_at_the_end() {
      s.limit = 0;
      while (s.count > 0) ::operator delete(s.blocks[--s.count]);
    }
    store& s;
  };

  static store& mine() noexcept {
    thread_local store s;
    thread_local const emptied_at_the_end guard(s);
    return s;
  }
};

/// For `std::allocate_shared`.
template <class T>
struct recycling_allocator {
  using value_type = T;

  recycling_allocator() = default;
  template <class U>
  recycling_allocator(const recycling_allocator<U>&) noexcept {}  // NOLINT: as all allocators do

  [[nodiscard]] T* allocate(std::size_t n) {
    static_assert(alignof(T) <= alignof(std::max_align_t));
    void* const block = n == 1 ? spare_blocks<sizeof(T)>::take() : ::operator new(n * sizeof(T));
    return static_cast<T*>(block);
  }
  void deallocate(T* block, std::size_t n) noexcept {
    if (n == 1) {
      spare_blocks<sizeof(T)>::give(block);
    } else {
      ::operator delete(block);
    }
  }

  friend bool operator==(const recycling_allocator&, const recycling_allocator&) { return true; }
};

/// Base of a final class whose objects are made with `new`.
template <class Derived>
class recycled {
 public:
  static void* operator new(std::size_t) {
    static_assert(alignof(Derived) <= alignof(std::max_align_t));
    return spare_blocks<sizeof(Derived)>::take();
  }
  static void operator delete(void* block) noexcept { spare_blocks<sizeof(Derived)>::give(block); }
};

}  // namespace redial::inline REDIAL_ABI::detail
