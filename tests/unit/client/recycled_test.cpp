// SPDX-License-Identifier: Apache-2.0
#include "client/recycled.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {
namespace {

struct block final : recycled<block> {
  explicit block(int n) { content.fill(n); }
  [[nodiscard]] bool is(int n) const {
    return std::all_of(content.begin(), content.end(), [n](int i) { return i == n; });
  }
  std::array<int, 1500> content;  // NOLINT: filled in
};

TEST(Recycled, NoTwoLivingObjectsShareABlock) {
  std::mt19937 random(1);  // NOLINT: the same each time
  std::vector<std::unique_ptr<block>> alive;
  std::vector<int> numbers;
  for (int i = 0; i < 2000; ++i) {
    if (alive.size() < 10 || random() % 2 == 0) {
      alive.push_back(std::make_unique<block>(i));
      numbers.push_back(i);
      continue;
    }
    const auto at = random() % alive.size();
    ASSERT_TRUE(alive[at]->is(numbers[at]));
    alive.erase(alive.begin() + static_cast<std::ptrdiff_t>(at));
    numbers.erase(numbers.begin() + static_cast<std::ptrdiff_t>(at));
  }
  for (std::size_t i = 0; i < alive.size(); ++i) EXPECT_TRUE(alive[i]->is(numbers[i]));
}

TEST(Recycled, AnotherThreadMayDestroyThem) {
  std::vector<std::unique_ptr<block>> made;
  for (int i = 0; i < 100; ++i) made.push_back(std::make_unique<block>(i));
  std::thread([&] {
    made.clear();
    for (int i = 0; i < 100; ++i) made.push_back(std::make_unique<block>(i));
  }).join();
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(made[static_cast<std::size_t>(i)]->is(i));
}

// Like what a static object of the program holds: it dies after the spare blocks of its thread.
struct made_first {
  ~made_first() {
    held.clear();
    for (int i = 0; i < 70; ++i) held.push_back(std::make_unique<block>(i));
    for (int i = 0; i < 70; ++i) whole += held[static_cast<std::size_t>(i)]->is(i) ? 1 : 0;
  }
  std::vector<std::unique_ptr<block>> held;
  static inline int whole = 0;  // NOLINT: of the one test below
};

TEST(Recycled, MayBeUsedAfterTheThreadsOwnObjects) {
  std::thread([] {
    thread_local made_first late;
    for (int i = 0; i < 100; ++i) late.held.push_back(std::make_unique<block>(i));
    late.held.resize(50);
  }).join();
  EXPECT_EQ(made_first::whole, 70);
}

TEST(Recycled, SharedOnesToo) {
  const recycling_allocator<block> memory;
  std::vector<std::shared_ptr<block>> alive;
  for (int round = 0; round < 3; ++round) {
    alive.clear();
    for (int i = 0; i < 100; ++i) alive.push_back(std::allocate_shared<block>(memory, i));
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(alive[static_cast<std::size_t>(i)]->is(i));
  }
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
