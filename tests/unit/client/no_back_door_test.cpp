// SPDX-License-Identifier: Apache-2.0

// What users cannot reach, since it may change in any release.

#include <redial/client/client.hpp>
#include <redial/testing/scripted_connector.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <type_traits>

namespace redial::inline REDIAL_ABI::testing {
namespace {

template <class T>
concept has_base = requires(T& t) {
  t.base();
};

TEST(NoBackDoor, LeadsToWhatClassesAreMadeOf) {
  static_assert(!has_base<basic_client<scripted_connection>>);
  static_assert(!has_base<basic_pool<scripted_connection>>);
  static_assert(!has_base<lease<scripted_connection>>);
  static_assert(!std::is_constructible_v<lease<scripted_connection>, detail::lease_base>);
  static_assert(
      !std::is_constructible_v<subscription, std::shared_ptr<detail::subscription_state>>);
  static_assert(!std::is_constructible_v<operation_handler,
                                         std::shared_ptr<detail::call_state>,
                                         std::uint32_t,
                                         boost::asio::any_io_executor,
                                         boost::asio::cancellation_slot>);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
