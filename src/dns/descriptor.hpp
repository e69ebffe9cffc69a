// SPDX-License-Identifier: Apache-2.0
#pragma once

// Owns a file descriptor.

#include <redial/core/abi.hpp>

#include <unistd.h>

#include <utility>

namespace redial::inline REDIAL_ABI::detail {

class descriptor {
 public:
  /// Negative: owns none.
  explicit descriptor(int fd = -1) noexcept : fd_(fd) {}
  ~descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }

  explicit operator bool() const noexcept { return fd_ >= 0; }
  [[nodiscard]] int get() const noexcept { return fd_; }

 private:
  int fd_;
};

}  // namespace redial::inline REDIAL_ABI::detail
