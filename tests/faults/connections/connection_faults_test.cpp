// SPDX-License-Identifier: Apache-2.0
//
// The table: each fault of options, networks, time, objects, TLS, load and HTTP that redial must
// survive, and the test that it does.
#include "../fault_table.hpp"
#include "connection_rows.hpp"

namespace redial::inline REDIAL_ABI::testing {
namespace {

std::vector<fault_row> all_rows() {
  return joined({option_rows(),
                 opening_rows(),
                 ending_rows(),
                 moving_rows(),
                 time_rows(),
                 life_rows(),
                 tls_rows(),
                 load_rows(),
                 http_rows()});
}

class Row : public ::testing::TestWithParam<fault_row> {};

TEST_P(Row, IsSurvived) { run_row(GetParam()); }

INSTANTIATE_TEST_SUITE_P(ConnectionFaults,
                         Row,
                         ::testing::ValuesIn(all_rows()),
                         [](const auto& made) { return name_of(made.param); });

TEST(ConnectionFaultTable, HoldsEachRowOnce) { expect_each_once(all_rows(), 88, 168); }

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
