// SPDX-License-Identifier: Apache-2.0
#pragma once

// Finds the use of an object in a child of the process that made it (docs/lifetime.md).

#if !defined(NDEBUG) && __has_include(<unistd.h>)
#define REDIAL_FORK_CHECK 1
#include <redial/core/abi.hpp>

#include <boost/assert.hpp>
#include <sys/types.h>
#include <unistd.h>
#endif

namespace redial::inline REDIAL_ABI::detail {

/// A member of whatever must not be used after `fork()`. Nothing in release builds.
class fork_check {
 public:
#ifdef REDIAL_FORK_CHECK
  void verify() const noexcept {
    BOOST_ASSERT_MSG(::getpid() == made_in_,
                     "redial: used in a forked child; make a new one there");
  }

 private:
  ::pid_t made_in_ = ::getpid();
#else
  void verify() const noexcept {}
#endif
};

}  // namespace redial::inline REDIAL_ABI::detail
