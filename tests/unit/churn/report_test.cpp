// SPDX-License-Identifier: Apache-2.0
// The report and the picture: complete, escaped, and in need of nothing else.

#include "churn/report.hpp"

#include "busy_suite.hpp"
#include "churn/picture.hpp"
#include "churn/svg.hpp"
#include "synthetic_run.hpp"

#include <boost/property_tree/xml_parser.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <stdexcept>
#include <string>

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

::testing::AssertionResult well_formed(const std::string& text) {
  try {
    std::istringstream in(text);
    boost::property_tree::ptree tree;
    boost::property_tree::read_xml(in, tree);
  } catch (const boost::property_tree::xml_parser_error& e) {
    return ::testing::AssertionFailure() << e.what();
  }
  return ::testing::AssertionSuccess();
}

TEST(Svg, ColumnsOfEqualHeightAreOne) {
  EXPECT_EQ(svg::columns({0, 10, 20, 30, 40}, {5, 5, 0, 3}, 50), "M0 50v-5h20v5zM30 50v-3h10v3z");
  EXPECT_EQ(svg::columns({0, 10, 20}, {2, 7}, 50), "M0 50v-2h10v-5h10v7z");
  EXPECT_EQ(svg::columns({0, 10}, {0.1}, 50), "M0 50v-1h10v1z") << "what is there is seen";
  EXPECT_EQ(svg::columns({0, 10}, {0}, 50), "");
}

void expect_self_contained(std::string text) {
  // The one address that an SVG file has to name; nobody fetches it.
  const std::string name_space = "xmlns=\"http://www.w3.org/2000/svg\"";
  if (const auto at = text.find(name_space); at != text.npos) text.erase(at, name_space.size());
  // Links within the page.
  for (auto at = text.find("href=\"#"); at != text.npos; at = text.find("href=\"#"))
    text.erase(at, 7);
  for (const char* outside : {"http:", "https:", "src=", "href=", "url(", "@import", "<script"}) {
    EXPECT_THAT(text, Not(HasSubstr(outside)));
  }
}

TEST(Report, NeedsNothingElse) { expect_self_contained(html_report(testing::synthetic_run())); }

TEST(Report, IsWellFormedAndEscaped) {
  const auto html = html_report(testing::synthetic_run());
  EXPECT_TRUE(well_formed(html));
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

suite_record two_scenarios() {
  auto other = testing::synthetic_run();
  other.settings.scenario = "tls & more";
  other.settings.title = "a <second> one";
  other.contestants[1] = {};
  other.contestants[1].id = "plain";
  other.contestants[1].title = "plain <client>";
  other.contestants[1].absent = "speaks no <TLS>";
  return {"redial-churn run <all>", {testing::synthetic_run(), other}};
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t n = 0;
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++n;
  return n;
}

TEST(Report, OfASuiteHasTheGridThenARunEach) {
  const auto html = html_report(two_scenarios());
  EXPECT_TRUE(well_formed(html));
  expect_self_contained(html);
  EXPECT_THAT(html, HasSubstr("<td class=\"good\">0 failed<br/>old address 0.0 s</td>"));
  EXPECT_THAT(html, HasSubstr("<td class=\"bad\"><b>1 failed</b>"));
  EXPECT_THAT(html, HasSubstr("<td class=\"missing\">absent: speaks no &lt;TLS&gt;</td>"));
  EXPECT_THAT(html, HasSubstr("<a href=\"#s2\"><b>tls &amp; more</b></a>"));
  EXPECT_THAT(html, HasSubstr("<details id=\"s2\">"));
  EXPECT_EQ(count(html, "<details"), 2U);
  EXPECT_EQ(count(html, "open=\"open\""), 1U);
  EXPECT_THAT(html, HasSubstr("redial-churn run &lt;all&gt;"));
}

TEST(Report, SeveralRunsOfAScenarioAreNumberedAndShareARow) {
  const auto html = html_report({"", {testing::synthetic_run(), testing::synthetic_run()}});
  EXPECT_TRUE(well_formed(html));
  EXPECT_EQ(count(html, "id=\"s1\""), 1U);
  EXPECT_THAT(html, HasSubstr("<b>synthetic</b>, run 2"));
  EXPECT_EQ(count(html, "href=\"#s"), 1U);
}

TEST(Report, WithEarlierResultsHasAComparison) {
  auto now = two_scenarios();
  const auto old = two_scenarios();
  now.runs[0].contestants[1].requests[6] = testing::failed(6, 6000, "x");
  const auto html = html_report(now, &old);
  EXPECT_TRUE(well_formed(html));
  EXPECT_THAT(html, HasSubstr("Compared with earlier results"));
  EXPECT_THAT(html, HasSubstr("<td class=\"bad-cell\">WORSE</td>"));
  EXPECT_THAT(html_report(now), Not(HasSubstr("Compared with")));
}

// A page of twenty such runs must stay below 3 MB.
TEST(Report, OfABusyRunIsSmall) {
  for (const std::size_t backends : {4U, 8U}) {
    const auto run = testing::busy_run("busy", backends, 10, 8000, 1);
    EXPECT_LT(html_report(run).size(), 175'000U) << backends;
  }
}

TEST(Report, OfFiftyBackendsIsWellFormedAndNotMuchLarger) {
  const auto html = html_report(testing::busy_run("busy", 50, 3, 4000, 1));
  EXPECT_TRUE(well_formed(html));
  EXPECT_LT(html.size(), 150'000U);
}

TEST(Picture, NeedsNothingElseAndIsWellFormed) {
  const auto picture = lead_picture(testing::synthetic_run());
  expect_self_contained(picture);
  EXPECT_TRUE(well_formed(picture));
  EXPECT_THAT(picture, HasSubstr("prefers-color-scheme:dark"));
}

TEST(Picture, OfASuiteIsOfRedialAndOneOther) {
  auto suite = two_scenarios();
  suite.runs[1].contestants[0].title = "not this one";
  const auto picture = lead_picture(suite);
  EXPECT_TRUE(well_formed(picture));
  EXPECT_LT(picture.find("plain &lt;client&gt;"), picture.find("0 of 10 requests failed"));
  EXPECT_THAT(picture, Not(HasSubstr("not this one")));
  suite.runs.erase(suite.runs.begin());
  EXPECT_THROW((void)lead_picture(suite), std::invalid_argument);
}

TEST(Picture, OfTheGridHasEveryCell) {
  const auto picture = grid_picture(two_scenarios());
  EXPECT_TRUE(well_formed(picture));
  expect_self_contained(picture);
  EXPECT_EQ(count(picture, ">0 failed<"), 2U);
  EXPECT_EQ(count(picture, ">1 failed<"), 1U);
  EXPECT_EQ(count(picture, ">absent<"), 1U);
}

TEST(Picture, OfARunInWhichNothingHappenedIsDrawnToo) {
  auto run = testing::synthetic_run();
  run.events.clear();
  run.dns_silent.clear();
  for (auto& c : run.contestants) {
    c.requests.clear();
    for (auto& s : c.servings) s.clear();
  }
  EXPECT_TRUE(well_formed(lead_picture(run)));
  EXPECT_TRUE(well_formed(html_report(run)));
}

}  // namespace
}  // namespace redial::churn
