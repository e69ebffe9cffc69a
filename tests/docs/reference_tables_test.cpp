// SPDX-License-Identifier: Apache-2.0
// The tables of the guides against what the library has: metrics, events, error codes, close
// reasons.
#include <redial/core/error.hpp>
#include <redial/core/measurements.hpp>
#include <redial/metrics/metrics.hpp>

#include "../unit/metrics/exposition.hpp"
#include "markdown.hpp"

#include <gtest/gtest.h>

#include <regex>

namespace redial::testing {
namespace {

const std::filesystem::path root = REDIAL_ROOT;

markdown_page guide(const std::string& name) {
  return markdown_page(read_file(root / "docs/guide" / name));
}

// What a table says, by its first column; backticks aside.
std::map<std::string, std::vector<std::string>> table(const markdown_page& page,
                                                      const std::string& heading) {
  std::map<std::string, std::vector<std::string>> all;
  for (auto row : page.rows_below(heading)) {
    for (auto& cell : row) cell = without(cell, '`');
    const std::string key = row.at(0);
    EXPECT_TRUE(all.emplace(key, std::move(row)).second) << heading << ": twice: " << key;
  }
  return all;
}

std::set<std::string> words(const std::string& list) {
  std::set<std::string> all;
  std::istringstream in(list);
  for (std::string word; std::getline(in, word, ',');) all.insert(trimmed(word));
  all.erase("");
  return all;
}

std::set<std::string> found_in(const std::string& text, const std::string& pattern) {
  std::set<std::string> all;
  const std::regex shape(pattern);
  for (std::sregex_iterator it(text.begin(), text.end(), shape), end; it != end; ++it) {
    all.insert((*it)[1]);
  }
  return all;
}

std::set<std::string> keys(const std::map<std::string, std::vector<std::string>>& t) {
  std::set<std::string> all;
  for (const auto& [key, row] : t) all.insert(key);
  return all;
}

// The enumerators of `name` in a header.
std::set<std::string> enumerators(const std::string& header, const std::string& name) {
  const std::string text = read_file(root / "include/redial" / header);
  const auto from = text.find("enum class " + name + " {");
  if (from == std::string::npos) throw std::runtime_error("no " + name + " in " + header);
  const std::string body = text.substr(from, text.find("\n};", from) - from);
  const std::regex comment("//[^\n]*");
  return found_in(std::regex_replace(body, comment, ""),
                  "([a-z_0-9]+)(?:\\s*=\\s*[0-9]+)?(?:,|\n)");
}

struct written_metric {
  std::string type;
  std::set<std::string> labels;
};

// Everything that a page of metrics can have: one object of each kind.
exposition whole_page() {
  measurements all;
  all.name = "tcp://api.test:80";
  all.dns.emplace();
  all.pool.emplace();
  all.client.emplace();
  metrics figures;
  figures.add_meter([all] { return all; });
  return exposition(figures.text());
}

std::map<std::string, written_metric> metrics_of(const exposition& page) {
  std::map<std::string, written_metric> all;
  for (const auto& [name, type] : page.types) all[name].type = type;
  for (const auto& [id, value] : page.series) {
    std::string family = id.first;
    for (const char* ending : {"_bucket", "_sum", "_count"}) {
      if (!all.contains(family) && family.ends_with(ending)) {
        family.resize(family.size() - std::string_view(ending).size());
      }
    }
    for (const auto& [label, text] : id.second) {
      if (label != "le") all[family].labels.insert(label);
    }
  }
  return all;
}

TEST(MetricsPage, HasEveryMetricWithTypeAndLabels) {
  const auto real = metrics_of(whole_page());
  ASSERT_GE(real.size(), 30U);
  std::map<std::string, std::vector<std::string>> written;
  const markdown_page page = guide("metrics.md");
  for (const char* part : {"Process", "DNS", "Endpoints", "Connections", "Calls"}) {
    written.merge(table(page, part));
  }
  for (const auto& [name, m] : real) {
    ASSERT_TRUE(written.contains(name)) << "missing: " << name;
    const auto& row = written[name];
    ASSERT_GE(row.size(), 4U) << name;
    EXPECT_EQ(row[1], m.type) << name;
    EXPECT_EQ(words(row[2]), m.labels) << name;
    written.erase(name);
  }
  EXPECT_EQ(keys(written), std::set<std::string>()) << "no such metrics";
}

TEST(MetricsPage, HasEveryValueOfEveryLabel) {
  const exposition page = whole_page();
  auto written = table(guide("metrics.md"), "Values of labels");
  std::map<std::string, std::set<std::string>> real;  // `redial_connections` `state`
  for (const auto& [id, value] : page.series) {
    for (const auto& [label, text] : id.second) {
      if (label != "le" && label != "pool" && label != "version") {
        real[id.first + " " + label].insert(text);
      }
    }
  }
  for (const auto& [what, values] : real) {
    ASSERT_TRUE(written.contains(what)) << "missing: " << what;
    EXPECT_EQ(words(written[what].at(1)), values) << what;
    written.erase(what);
  }
  EXPECT_EQ(keys(written), std::set<std::string>()) << "no such labels";
}

TEST(MetricsPage, HasEveryEvent) {
  const std::string header = read_file(root / "include/redial/core/events.hpp");
  EXPECT_EQ(keys(table(guide("metrics.md"), "Events")),
            found_in(header, "virtual void (on_[a-z_]+)\\("));
}

TEST(MetricsPage, HasEveryCloseReasonAndEndpointChange) {
  const markdown_page page = guide("metrics.md");
  EXPECT_EQ(keys(table(page, "Close reasons")), enumerators("core/events.hpp", "close_reason"));
  EXPECT_EQ(keys(table(page, "Endpoint changes")),
            enumerators("core/events.hpp", "endpoint_change"));
}

// With the values that the header gives them.
std::map<std::string, int> error_codes() {
  const std::string text = read_file(root / "include/redial/core/error.hpp");
  const auto from = text.find("enum class errc {");
  std::string body = text.substr(from, text.find("\n};", from) - from);
  body = std::regex_replace(body.substr(body.find('{')), std::regex("//[^\n]*"), "");
  std::map<std::string, int> all;
  int next = 0;
  const std::regex shape("([a-z_]+)(?:\\s*=\\s*([0-9]+))?\\s*,");
  for (std::sregex_iterator it(body.begin(), body.end(), shape), end; it != end; ++it) {
    if ((*it)[2].matched) next = std::stoi((*it)[2]);
    all[(*it)[1]] = next++;
  }
  return all;
}

TEST(FailureModesPage, HasEveryErrorCodeWithItsConditions) {
  auto written = table(guide("failure_modes.md"), "Error codes");
  const auto real = error_codes();
  ASSERT_EQ(real.at("misdirected_status"), static_cast<int>(errc::misdirected_status));
  for (const auto& [name, value] : real) {
    const error_code ec(static_cast<errc>(value));
    std::set<std::string> holds;
    if (ec == condition::retryable) holds.insert("retryable");
    if (ec == condition::connection_poisoned) holds.insert("connection_poisoned");
    if (ec == condition::not_sent) holds.insert("not_sent");
    if (ec == condition::local_fault) holds.insert("local_fault");
    ASSERT_TRUE(written.contains(name)) << "missing: " << name;
    EXPECT_EQ(words(written[name].at(2)), holds) << name;
    written.erase(name);
  }
  EXPECT_EQ(keys(written), std::set<std::string>()) << "no such codes";
}

TEST(FailureModesPage, HasEveryCondition) {
  EXPECT_EQ(keys(table(guide("failure_modes.md"), "Conditions")),
            enumerators("core/error.hpp", "condition"));
}

}  // namespace
}  // namespace redial::testing
