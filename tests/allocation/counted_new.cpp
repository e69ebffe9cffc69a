// SPDX-License-Identifier: Apache-2.0
#include "counted_new.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> alive{0};
thread_local std::size_t made = 0;

void* counted(void* p) {
  if (p == nullptr) throw std::bad_alloc();
  ++alive;
  ++made;
  return p;
}

void let_go(void* p) noexcept {
  if (p == nullptr) return;
  --alive;
  std::free(p);
}

}  // namespace

namespace redial::testing {

std::size_t live_blocks() noexcept { return alive; }
std::size_t allocations() noexcept { return made; }

}  // namespace redial::testing

// All forms, because sanitizers bring their own for those that are not replaced.
void* operator new(std::size_t size) {
  return counted(std::malloc(std::max<std::size_t>(size, 1)));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto a = static_cast<std::size_t>(alignment);
  return counted(std::aligned_alloc(a, (std::max<std::size_t>(size, 1) + a - 1) / a * a));
}
void operator delete(void* p) noexcept { let_go(p); }
void operator delete(void* p, std::size_t) noexcept { let_go(p); }
void operator delete(void* p, std::align_val_t) noexcept { let_go(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { let_go(p); }
void* operator new[](std::size_t size) { return ::operator new(size); }
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return ::operator new(size, alignment);
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  try {
    return ::operator new(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void* operator new[](std::size_t size, const std::nothrow_t& quiet) noexcept {
  return ::operator new(size, quiet);
}
void operator delete[](void* p) noexcept { let_go(p); }
void operator delete[](void* p, std::size_t) noexcept { let_go(p); }
void operator delete[](void* p, std::align_val_t) noexcept { let_go(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { let_go(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { let_go(p); }
void operator delete[](void* p, const std::nothrow_t&) noexcept { let_go(p); }
