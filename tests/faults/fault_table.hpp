// SPDX-License-Identifier: Apache-2.0
#pragma once

// What both tables of faults do with their rows.

#include <redial/core/abi.hpp>

#include "fault_row.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <initializer_list>
#include <iostream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {

inline std::vector<fault_row> joined(std::initializer_list<std::vector<fault_row>> parts) {
  std::vector<fault_row> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

inline std::string name_of(const fault_row& row) {
  char number[8];
  std::snprintf(number, sizeof number, "%02d", row.number);
  return std::string(number) + "_" + row.title;
}

inline void run_row(const fault_row& row) {
  if (!std::string_view(row.note).empty()) std::cout << "note: " << row.note << '\n';
  if (row.run == nullptr) {
    std::cout << "does not apply here\n";
    return;
  }
  row.run();
}

/// Numbers `first` to `last`, each once, with a title, and a note where there is nothing to run.
inline void expect_each_once(const std::vector<fault_row>& rows, int first, int last) {
  std::multiset<int> numbers;
  for (const auto& row : rows) {
    numbers.insert(row.number);
    EXPECT_FALSE(std::string_view(row.title).empty()) << row.number;
    EXPECT_TRUE(row.run != nullptr || !std::string_view(row.note).empty()) << row.number;
  }
  EXPECT_EQ(numbers.size(), static_cast<std::size_t>(last - first + 1));
  for (int number = first; number <= last; ++number) EXPECT_EQ(numbers.count(number), 1u) << number;
}

}  // namespace redial::inline REDIAL_ABI::testing
