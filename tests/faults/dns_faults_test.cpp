// SPDX-License-Identifier: Apache-2.0
//
// The table: each fault of DNS messages, names and servers that redial must survive, and the test
// that it does.
#include "fault_table.hpp"

namespace redial::inline REDIAL_ABI::testing {
namespace {

std::vector<fault_row> all_rows() {
  return joined({message_rows(),
                 record_rows(),
                 verdict_rows(),
                 service_rows(),
                 reply_rows(),
                 name_rows(),
                 server_rows()});
}

class Row : public ::testing::TestWithParam<fault_row> {};

TEST_P(Row, IsSurvived) { run_row(GetParam()); }

INSTANTIATE_TEST_SUITE_P(DnsFaults, Row, ::testing::ValuesIn(all_rows()), [](const auto& made) {
  return name_of(made.param);
});

TEST(DnsFaultTable, HoldsEachRowOnce) { expect_each_once(all_rows(), 1, 87); }

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
