// SPDX-License-Identifier: Apache-2.0
// Every enumerator has a word of its own; logs and metrics show it.
#include <redial/core/answer.hpp>
#include <redial/core/counters.hpp>
#include <redial/core/events.hpp>
#include <redial/core/log.hpp>
#include <redial/core/target.hpp>

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace {

// The words of the enumerators from the first to `last`.
template <class Enum>
void expect_words(Enum last) {
  std::set<std::string> words;
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    const std::string word = to_string(static_cast<Enum>(i));
    EXPECT_NE(word, "?") << i;
    EXPECT_TRUE(words.insert(word).second) << word;
    EXPECT_EQ(word.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string::npos) << word;
  }
  EXPECT_STREQ(to_string(static_cast<Enum>(static_cast<int>(last) + 1)), "?");
}

TEST(Names, EveryEnumeratorHasAWord) {
  expect_words(redial::answer_outcome::closed);
  expect_words(redial::freshness::expired);
  expect_words(redial::endpoint_change::recovered);
  expect_words(redial::close_reason::probed);
  expect_words(redial::connection_change::closed);
  expect_words(redial::refresh_result::error);
  expect_words(redial::log_level::error);
}

// Arrays with a counter for each have a place for the last one.
TEST(Names, CountsCoverEveryEnumerator) {
  expect_words(static_cast<redial::close_reason>(redial::close_reason_count - 1));
  expect_words(static_cast<redial::endpoint_change>(redial::endpoint_change_count - 1));
}

TEST(Names, RecordTypesAreCalledAsInTheDns) {
  EXPECT_STREQ(to_string(redial::record_type::a), "A");
  EXPECT_STREQ(to_string(redial::record_type::aaaa), "AAAA");
  EXPECT_STREQ(to_string(redial::record_type::srv), "SRV");
  EXPECT_STREQ(to_string(static_cast<redial::record_type>(5)), "?");
}

static_assert(redial::is_definite(redial::answer_outcome::records));
static_assert(redial::is_definite(redial::answer_outcome::no_data));
static_assert(redial::is_definite(redial::answer_outcome::name_not_found));
static_assert(!redial::is_definite(redial::answer_outcome::timeout));
static_assert(!redial::is_definite(redial::answer_outcome::closed));

}  // namespace
