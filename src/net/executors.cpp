// SPDX-License-Identifier: Apache-2.0
#include "net/executors.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>

namespace redial::inline REDIAL_ABI::detail {

namespace asio = boost::asio;
using asio::any_io_executor;

namespace {

template <class Inner>
const asio::strand<Inner>* strand_on(const any_io_executor& executor) noexcept {
  return executor.target<asio::strand<Inner>>();
}

bool is_strand(const any_io_executor& executor) noexcept {
  return strand_on<any_io_executor>(executor) != nullptr ||
         strand_on<asio::io_context::executor_type>(executor) != nullptr ||
         strand_on<asio::thread_pool::executor_type>(executor) != nullptr;
}

}  // namespace

any_io_executor without_strand(const any_io_executor& executor) {
  if (const auto* s = strand_on<any_io_executor>(executor)) {
    return without_strand(s->get_inner_executor());
  }
  if (const auto* s = strand_on<asio::io_context::executor_type>(executor)) {
    return s->get_inner_executor();
  }
  if (const auto* s = strand_on<asio::thread_pool::executor_type>(executor)) {
    return s->get_inner_executor();
  }
  return executor;
}

any_io_executor serialised(const any_io_executor& executor) {
  if (is_strand(executor)) return executor;
  // A strand on the concrete type saves one virtual call and one allocation per operation.
  if (const auto* ex = executor.target<asio::io_context::executor_type>()) {
    return asio::make_strand(*ex);
  }
  return asio::make_strand(executor);
}

}  // namespace redial::inline REDIAL_ABI::detail
