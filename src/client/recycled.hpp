// SPDX-License-Identifier: Apache-2.0
#pragma once

// Memory that is needed again at once.

#include <array>
#include <cstddef>
#include <new>

namespace redial::detail {

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

  struct store {
    store() = default;
    store(const store&) = delete;
    store& operator=(const store&) = delete;
    ~store() {
      limit = 0;  // what dies after the thread's own objects is not kept
      while (count > 0) ::operator delete(blocks[--count]);
    }

    std::size_t count = 0;
#if defined(__SANITIZE_ADDRESS__)
    std::size_t limit = 0;  // so that it sees who uses what is gone
#else
    std::size_t limit = most;
#endif
    std::array<void*, most> blocks{};
  };

  static store& mine() noexcept {
    thread_local store s;
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
  static void* operator new(std::size_t) { return spare_blocks<sizeof(Derived)>::take(); }
  static void operator delete(void* block) noexcept { spare_blocks<sizeof(Derived)>::give(block); }
};

}  // namespace redial::detail
