// SPDX-License-Identifier: Apache-2.0
#pragma once

// What lies under a type-erased executor.

#include <redial/core/abi.hpp>

#include <boost/asio/any_io_executor.hpp>

namespace redial::inline REDIAL_ABI::detail {

/// `executor` without the strands around it, as far as their types are known.
[[nodiscard]] boost::asio::any_io_executor without_strand(
    const boost::asio::any_io_executor& executor);

/// An executor that runs one handler at a time: a new strand, or `executor` itself when it is one.
[[nodiscard]] boost::asio::any_io_executor serialised(const boost::asio::any_io_executor& executor);

}  // namespace redial::inline REDIAL_ABI::detail
