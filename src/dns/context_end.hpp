// SPDX-License-Identifier: Apache-2.0
#pragma once

// Lets objects that hold sockets and strands outlive the execution context of these.

#include <redial/core/abi.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <memory>

namespace redial::inline REDIAL_ABI::detail {

/// Asio's objects, strands included, must not outlive their context. Who may do so all the same
/// lets go of them when told.
class ends_with_context {
 public:
  /// Called once, from the context's destructor, while the context can still take its objects back.
  /// Destroy them and post nothing.
  virtual void context_gone() noexcept = 0;

 protected:
  ~ends_with_context() = default;
};

/// Has `who` told, unless it is destroyed before. Any thread.
void on_context_end(const boost::asio::any_io_executor& executor,
                    std::weak_ptr<ends_with_context> who);

}  // namespace redial::inline REDIAL_ABI::detail
