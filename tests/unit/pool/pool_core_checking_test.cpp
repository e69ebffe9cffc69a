// SPDX-License-Identifier: Apache-2.0
// A connection that the pool itself is using when its endpoint fails.

#include "pool/pool_core.hpp"
#include "pool/pool_core_hot.hpp"

#include <gtest/gtest.h>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using namespace std::chrono_literals;

class idle_connection final : public pooled_connection {
 public:
  void close() noexcept override {}
  [[nodiscard]] bool quiet() noexcept override { return true; }
  [[nodiscard]] boost::asio::any_io_executor get_executor() const override { return {}; }
};

TEST(PoolCoreChecking, AConnectionBeingCheckedGoesWithTheIdleOnesOfAFailedEndpoint) {
  const time_point now = time_point{} + 1h;
  pool_core core(pool_options{}, 1);
  pool_actions out;
  snapshot s;
  s.generation = 1;
  s.endpoints.emplace_back().where = {boost::asio::ip::make_address("10.0.0.1"), 80};
  core.apply(s, now, out);
  ASSERT_EQ(out.openings.size(), 1U);
  core.opened(*out.openings[0].slot, std::make_shared<idle_connection>(), now, out);
  pool_slot* first = core.take_idle();
  ASSERT_NE(first, nullptr);
  ASSERT_FALSE(core.enqueue(1, checkout_options{}, now, out));
  ASSERT_EQ(out.openings.size(), 2U);
  pool_slot& second = *out.openings[1].slot;
  core.opened(second, std::make_shared<idle_connection>(), now, out);
  core.end_lease(second, lease_end::returned, {}, now, out);
  core.on_time(now + 1s, out);  // sees that it was lent
  core.on_time(now + 2s, out);  // and was not again: arms its notice
  ASSERT_EQ(second.state, slot_state::checking);

  core.end_lease(*first, lease_end::reset, errc::peer_closed, now + 2s, out);
  core.checked(second, {}, now + 2s, out);
  EXPECT_EQ(second.state, slot_state::vacant) << "as good as before, but of a failed endpoint";
  core.close(now + 1s, out);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
