// SPDX-License-Identifier: Apache-2.0

#include <redial/client/call.hpp>

#include "client/call_state.hpp"

#include <boost/system/system_error.hpp>

#include <exception>
#include <system_error>
#include <utility>

namespace redial::inline REDIAL_ABI {

namespace {

error_code code_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const boost::system::system_error& e) {
    return e.code();
  } catch (const std::system_error& e) {
    return e.code();
  } catch (...) {
    return errc::abandoned;
  }
}

}  // namespace

void operation_handler::complete(error_code ec) {
  const auto call = std::exchange(call_, nullptr);
  if (call) call->operation_done(number_, ec);
}

void operation_handler::complete(const std::exception_ptr& failure) {
  complete(failure ? code_of(failure) : error_code());
}

void operation_handler::drop() noexcept { complete(errc::abandoned); }

}  // namespace redial::inline REDIAL_ABI
