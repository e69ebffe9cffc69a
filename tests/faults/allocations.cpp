// SPDX-License-Identifier: Apache-2.0
#include "allocations.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace {

thread_local bool watching = false;
thread_local std::size_t largest = 0;

}  // namespace

namespace redial::inline REDIAL_ABI::testing {

largest_allocation::largest_allocation() {
  watching = true;
  largest = 0;
}
largest_allocation::~largest_allocation() { watching = false; }
std::size_t largest_allocation::bytes() const noexcept { return largest; }

}  // namespace redial::inline REDIAL_ABI::testing

// The other forms call this one.
void* operator new(std::size_t size) {
  if (watching) largest = std::max(largest, size);
  if (void* const p = std::malloc(std::max<std::size_t>(size, 1))) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
