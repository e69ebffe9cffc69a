// SPDX-License-Identifier: Apache-2.0
#include "counted_new.hpp"

#include <boost/asio/detail/mutex.hpp>
#include <boost/asio/detail/strand_executor_service.hpp>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>
#include <utility>

namespace {

std::atomic<std::size_t> alive{0};
thread_local std::size_t made = 0;
thread_local std::size_t until_failure = 0;  // 0: none is to come

enum class strand_parts { none, references, mutex };
thread_local strand_parts next_part = strand_parts::none;

// Boost 1.81 crashes, instead of throwing, when a strand is there, but no memory for the count of
// its references or for its mutex, which come next: its destructor wants what it does not have yet.
using strand_state =
    boost::asio::detail::strand_executor_service::implementation_type::element_type;

void may_fail(std::size_t size) {
  const strand_parts part = std::exchange(next_part, strand_parts::none);
  if (part == strand_parts::references) next_part = strand_parts::mutex;
  if (part == strand_parts::references) return;
  if (part == strand_parts::mutex && size == sizeof(boost::asio::detail::mutex)) return;
  if (size == sizeof(strand_state)) next_part = strand_parts::references;
  if (until_failure != 0 && --until_failure == 0) throw std::bad_alloc();
}

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

namespace redial::inline REDIAL_ABI::testing {

std::size_t live_blocks() noexcept { return alive; }
std::size_t allocations() noexcept { return made; }

failing_allocation::failing_allocation(std::size_t n) noexcept
    : n_(n), outer_(std::exchange(until_failure, n)) {}
failing_allocation::~failing_allocation() { until_failure = outer_; }
bool failing_allocation::has_failed() const noexcept { return n_ != 0 && until_failure == 0; }

}  // namespace redial::inline REDIAL_ABI::testing

// All forms, because sanitizers bring their own for those that are not replaced.
void* operator new(std::size_t size) {
  may_fail(size);
  return counted(std::malloc(std::max<std::size_t>(size, 1)));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  may_fail(size);
  const auto a = static_cast<std::size_t>(alignment);
  return counted(std::aligned_alloc(a, (std::max<std::size_t>(size, 1) + a - 1) / a * a));
}
// Nothing of the library's asks for this. Asio does, for a handler's executor, and Boost 1.81 then
// crashes on the null pointer.
void* operator new(std::size_t size, const std::nothrow_t& /*none*/) noexcept {
  void* const p = std::malloc(std::max<std::size_t>(size, 1));
  return p == nullptr ? p : counted(p);
}
void operator delete(void* p) noexcept { let_go(p); }
void operator delete(void* p, std::size_t) noexcept { let_go(p); }
void operator delete(void* p, const std::nothrow_t& /*none*/) noexcept { let_go(p); }
void operator delete(void* p, std::align_val_t) noexcept { let_go(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { let_go(p); }
void* operator new[](std::size_t size) { return ::operator new(size); }
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return ::operator new(size, alignment);
}
void* operator new[](std::size_t size, const std::nothrow_t& quiet) noexcept {
  return ::operator new(size, quiet);
}
void operator delete[](void* p) noexcept { let_go(p); }
void operator delete[](void* p, std::size_t) noexcept { let_go(p); }
void operator delete[](void* p, std::align_val_t) noexcept { let_go(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { let_go(p); }
void operator delete[](void* p, const std::nothrow_t& /*none*/) noexcept { let_go(p); }
