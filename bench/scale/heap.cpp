// SPDX-License-Identifier: Apache-2.0
#include "scale/heap.hpp"

#include <malloc.h>
#include <openssl/crypto.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>

// glibc lets a program replace malloc as a whole, and keeps its own under these names.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define REDIAL_COUNTS_HEAP 1
extern "C" {
void* __libc_malloc(std::size_t);                 // NOLINT(bugprone-reserved-identifier)
void* __libc_calloc(std::size_t, std::size_t);    // NOLINT(bugprone-reserved-identifier)
void* __libc_realloc(void*, std::size_t);         // NOLINT(bugprone-reserved-identifier)
void* __libc_memalign(std::size_t, std::size_t);  // NOLINT(bugprone-reserved-identifier)
void __libc_free(void*);                          // NOLINT(bugprone-reserved-identifier)
}
#endif

namespace redial::bench {
namespace {

std::atomic<std::int64_t> bytes{0};
std::atomic<std::int64_t> blocks{0};
std::atomic<std::int64_t> allocations{0};
std::atomic<std::int64_t> peak{0};
std::atomic<std::int64_t> tls_bytes{0};
std::atomic<bool> stopped{false};

std::int64_t size_of(void* p) noexcept {
  return static_cast<std::int64_t>(::malloc_usable_size(p) + sizeof(std::size_t));
}

[[maybe_unused]] void* came(void* p) noexcept {
  if (p == nullptr || stopped.load(std::memory_order_relaxed)) return p;
  const std::int64_t size = size_of(p);
  const std::int64_t now = bytes.fetch_add(size, std::memory_order_relaxed) + size;
  blocks.fetch_add(1, std::memory_order_relaxed);
  allocations.fetch_add(1, std::memory_order_relaxed);
  std::int64_t highest = peak.load(std::memory_order_relaxed);
  while (highest < now && !peak.compare_exchange_weak(highest, now, std::memory_order_relaxed)) {
  }
  return p;
}

[[maybe_unused]] void goes(void* p) noexcept {
  if (p == nullptr || stopped.load(std::memory_order_relaxed)) return;
  bytes.fetch_sub(size_of(p), std::memory_order_relaxed);
  blocks.fetch_sub(1, std::memory_order_relaxed);
}

void* tls_came(void* p) noexcept {
  if (p != nullptr) tls_bytes.fetch_add(size_of(p), std::memory_order_relaxed);
  return p;
}

void tls_goes(void* p) noexcept {
  if (p != nullptr) tls_bytes.fetch_sub(size_of(p), std::memory_order_relaxed);
}

std::int64_t status_line(const char* key) {
  std::ifstream file("/proc/self/status");
  for (std::string word; file >> word;) {
    if (word != key) continue;
    std::int64_t kib = 0;
    file >> kib;
    return kib * 1024;
  }
  throw std::runtime_error("/proc/self/status does not tell the resident memory");
}

}  // namespace

bool heap_is_counted() noexcept {
#ifdef REDIAL_COUNTS_HEAP
  return true;
#else
  return false;
#endif
}

heap_use heap_now() noexcept {
  heap_use u;
  u.bytes = bytes.load(std::memory_order_relaxed);
  u.blocks = blocks.load(std::memory_order_relaxed);
  u.tls_bytes = tls_bytes.load(std::memory_order_relaxed);
  return u;
}

std::int64_t heap_allocations() noexcept { return allocations.load(std::memory_order_relaxed); }

std::int64_t take_heap_peak() noexcept {
  return peak.exchange(bytes.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

void stop_counting_heap() noexcept { stopped = true; }

void count_tls_heap() {
  const int taken = ::CRYPTO_set_mem_functions(
      [](std::size_t n, const char*, int) { return tls_came(std::malloc(n)); },
      [](void* p, std::size_t n, const char*, int) {
        tls_goes(p);
        return tls_came(std::realloc(p, n));
      },
      [](void* p, const char*, int) {
        tls_goes(p);
        std::free(p);
      });
  if (taken != 1) throw std::runtime_error("OpenSSL has allocated already");
}

std::int64_t resident_now() { return status_line("VmRSS:"); }
std::int64_t resident_peak() { return status_line("VmHWM:"); }

}  // namespace redial::bench

#ifdef REDIAL_COUNTS_HEAP
extern "C" {

void* malloc(std::size_t n) { return redial::bench::came(__libc_malloc(n)); }
void* calloc(std::size_t n, std::size_t size) {
  return redial::bench::came(__libc_calloc(n, size));
}
void* realloc(void* p, std::size_t n) {
  redial::bench::goes(p);
  void* const moved = __libc_realloc(p, n);
  if (moved == nullptr && n != 0) {
    redial::bench::came(p);  // still there
    return nullptr;
  }
  return redial::bench::came(moved);
}
void free(void* p) {
  redial::bench::goes(p);
  __libc_free(p);
}
void* memalign(std::size_t alignment, std::size_t n) {
  return redial::bench::came(__libc_memalign(alignment, n));
}
void* aligned_alloc(std::size_t alignment, std::size_t n) { return memalign(alignment, n); }
int posix_memalign(void** result, std::size_t alignment, std::size_t n) {
  void* const p = memalign(alignment, n);
  if (p == nullptr) return ENOMEM;
  *result = p;
  return 0;
}
}
#endif
