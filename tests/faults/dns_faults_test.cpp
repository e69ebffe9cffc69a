// SPDX-License-Identifier: Apache-2.0
//
// The table: each fault of DNS messages, names and servers that redial must survive, and the test
// that it does.
#include "fault_row.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <iostream>
#include <set>
#include <string>
#include <string_view>

namespace redial::testing {
namespace {

std::vector<fault_row> all_rows() {
  std::vector<fault_row> all;
  for (const auto& part : {message_rows(),
                           record_rows(),
                           verdict_rows(),
                           service_rows(),
                           reply_rows(),
                           name_rows(),
                           server_rows()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

std::string name_of(const fault_row& row) {
  char number[8];
  std::snprintf(number, sizeof number, "%02d", row.number);
  return std::string(number) + "_" + row.title;
}

class Row : public ::testing::TestWithParam<fault_row> {};

TEST_P(Row, IsSurvived) {
  const auto& row = GetParam();
  if (!std::string_view(row.note).empty()) std::cout << "note: " << row.note << '\n';
  if (row.run == nullptr) {
    std::cout << "does not apply here\n";
    return;
  }
  row.run();
}

INSTANTIATE_TEST_SUITE_P(DnsFaults, Row, ::testing::ValuesIn(all_rows()), [](const auto& made) {
  return name_of(made.param);
});

TEST(DnsFaultTable, HoldsEachRowOnce) {
  std::multiset<int> numbers;
  for (const auto& row : all_rows()) {
    numbers.insert(row.number);
    EXPECT_FALSE(std::string_view(row.title).empty()) << row.number;
    EXPECT_TRUE(row.run != nullptr || !std::string_view(row.note).empty()) << row.number;
  }
  EXPECT_EQ(numbers.size(), 87u);
  for (int number = 1; number <= 87; ++number) EXPECT_EQ(numbers.count(number), 1u) << number;
}

}  // namespace
}  // namespace redial::testing
