// SPDX-License-Identifier: Apache-2.0
// docs/guide/options.md has every option of every option struct, with the default that the header
// gives it.
#include "header_options.hpp"

#include <gtest/gtest.h>

namespace redial::testing {
namespace {

const std::filesystem::path root = REDIAL_ROOT;

std::vector<header_option> options_in(const std::string& text) {
  header_structs all;
  options_detail::read_header(options_detail::bare("\n" + text), all);
  return all.empty() ? std::vector<header_option>() : all.begin()->second;
}

TEST(HeaderOptions, AreReadWhateverTheyLookLike) {
  const auto options = options_in(R"(
struct any_options {
  any_options() = default;
  any_options(int a, std::string b) : first(a), second(std::move(b)) {}
  [[nodiscard]] static any_options other();
  enum class kind { off, on };  // not an option; nor = 5;
  [[nodiscard]] any_options changed(bool yes = true) && {
    first = 3;
    return std::move(*this);
  }

  int first = 1;
  std::string second;  ///< It says `x = 1;`.
  duration third =
      std::chrono::milliseconds{5};
  std::chrono::seconds fourth{30};
  std::function<bool(const int& a, bool b)> fifth;
  std::size_t sixth = std::size_t{64} * 1024;
  kind seventh = kind::off;
  std::vector<unsigned> eighth = {200};
  std::shared_ptr<int> ninth;
  std::optional<int> tenth;
  std::uint64_t eleventh = 10'000'000;
  duration twelfth{};

 private:
  int hidden = 5;
};
)");
  std::string all;
  for (const auto& o : options) all += o.name + '=' + o.fallback + ' ';
  EXPECT_EQ(all,
            "first=1 second=empty third=5 ms fourth=30 s fifth=empty sixth=64 KiB seventh=off "
            "eighth={200} ninth=null tenth=unset eleventh=10000000 twelfth=0 ");
}

TEST(Options, ThePageHasThemAllWithTheirDefaults) {
  const markdown_page page(read_file(root / "docs/guide/options.md"));
  const header_structs structs = option_structs(root / "include/redial");
  ASSERT_GE(structs.size(), 20U);
  for (const auto& [name, options] : structs) {
    std::map<std::string, std::string> written;
    for (const auto& row : page.rows_below(name)) {
      ASSERT_GE(row.size(), 4U) << name << ": option, default, range, what it does";
      EXPECT_TRUE(written.emplace(without(row[0], '`'), without(row[1], '`')).second)
          << name << ": twice: " << row[0];
      EXPECT_FALSE(row[3].empty()) << name << ": " << row[0];
    }
    for (const auto& o : options) {
      EXPECT_TRUE(written.contains(o.name)) << name << ": missing: " << o.name;
      EXPECT_EQ(written[o.name], o.fallback) << name << ": " << o.name;
      written.erase(o.name);
    }
    for (const auto& [left, fallback] : written) ADD_FAILURE() << name << ": no such " << left;
  }
}

}  // namespace
}  // namespace redial::testing
