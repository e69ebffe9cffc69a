// SPDX-License-Identifier: Apache-2.0
// The report and the picture: complete, escaped, and in need of nothing else.

#include "churn/report.hpp"

#include "churn/lanes.hpp"
#include "churn/svg.hpp"
#include "synthetic_run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace redial::churn {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Svg, EscapesWhatMarkupMeans) {
  EXPECT_EQ(svg::escape("a<b>&\"'\x01"), "a&lt;b&gt;&amp;&quot;&#39;?");
}

TEST(Svg, NumbersAreShort) {
  EXPECT_EQ(svg::number(1), "1");
  EXPECT_EQ(svg::number(1.5), "1.5");
  EXPECT_EQ(svg::number(1.005), "1");
  EXPECT_EQ(svg::number(-0.001), "0");
  EXPECT_EQ(svg::number(100), "100");
}

TEST(Svg, WidthCountsGlyphsNotBytes) {
  EXPECT_DOUBLE_EQ(svg::width_of("\u2192\u2192", 10), svg::width_of("ab", 10));
}

// Tags that are opened are closed, in order. Enough for what is written here: no comments, no
// CDATA.
::testing::AssertionResult balanced(const std::string& text) {
  std::vector<std::string> open;
  for (auto at = text.find('<'); at != text.npos; at = text.find('<', at + 1)) {
    const auto end = text.find('>', at);
    if (end == text.npos) return ::testing::AssertionFailure() << "a tag does not end";
    auto tag = text.substr(at + 1, end - at - 1);
    if (tag.front() == '!' || tag.back() == '/') continue;
    const bool closes = tag.front() == '/';
    tag = tag.substr(closes ? 1 : 0, tag.find(' ') - (closes ? 1 : 0));
    if (tag == "meta") continue;
    if (!closes) {
      open.push_back(tag);
    } else if (open.empty() || open.back() != tag) {
      return ::testing::AssertionFailure() << "</" << tag << "> closes nothing";
    } else {
      open.pop_back();
    }
  }
  if (!open.empty()) return ::testing::AssertionFailure() << open.back() << " is not closed";
  return ::testing::AssertionSuccess();
}

void expect_self_contained(std::string text) {
  // The one address that an SVG file has to name; nobody fetches it.
  const std::string name_space = "xmlns=\"http://www.w3.org/2000/svg\"";
  if (const auto at = text.find(name_space); at != text.npos) text.erase(at, name_space.size());
  for (const char* outside : {"http:", "https:", "src=", "href=", "url(", "@import", "<script"}) {
    EXPECT_THAT(text, Not(HasSubstr(outside)));
  }
}

TEST(Report, NeedsNothingElse) { expect_self_contained(html_report(testing::synthetic_run())); }

TEST(Report, IsBalancedAndEscaped) {
  const auto html = html_report(testing::synthetic_run());
  EXPECT_TRUE(balanced(html));
  EXPECT_THAT(html, HasSubstr("plain &lt;client&gt;"));
  EXPECT_THAT(html, HasSubstr("a &lt;fast&gt; one &amp; &quot;quiet&quot;"));
  EXPECT_THAT(html, HasSubstr("A is &lt;killed&gt;"));
  EXPECT_THAT(html, HasSubstr("read: &quot;end&quot; &amp; &lt;nothing&gt;"));
}

TEST(Report, SaysInItsTitleWhatHappened) {
  EXPECT_THAT(html_report(testing::synthetic_run()),
              HasSubstr("<h1>redial: 0 of 10 requests failed \u2014 plain &lt;client&gt;: 1 of 10 "
                        "requests failed</h1>"));
}

TEST(Picture, NeedsNothingElseAndIsBalanced) {
  const auto picture = lead_picture(testing::synthetic_run());
  expect_self_contained(picture);
  EXPECT_TRUE(balanced(picture));
  EXPECT_THAT(picture, HasSubstr("prefers-color-scheme:dark"));
}

TEST(Picture, OfARunInWhichNothingHappenedIsDrawnToo) {
  auto run = testing::synthetic_run();
  run.events.clear();
  run.dns_silent.clear();
  for (auto& c : run.contestants) {
    c.requests.clear();
    for (auto& s : c.servings) s.clear();
  }
  EXPECT_TRUE(balanced(lead_picture(run)));
  EXPECT_TRUE(balanced(html_report(run)));
}

}  // namespace
}  // namespace redial::churn
