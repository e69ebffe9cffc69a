// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads Prometheus' text format 0.0.4 as its documentation has it, and says what is wrong. Knows
// nothing of redial.

#include <redial/core/abi.hpp>

#include <cctype>
#include <cstddef>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {

class exposition {
 public:
  using label_set = std::map<std::string, std::string>;

  explicit exposition(const std::string& text) {
    if (text.empty() || text.back() != '\n') problems.push_back("does not end with a line feed");
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) read(line);
    for (const auto& [name, type] : types) {
      if (type == "histogram") check_histogram(name);
      if (type == "counter" && !name.ends_with("_total")) wrong("counter without _total", name);
      if (type == "gauge" && name.ends_with("_total")) wrong("gauge with _total", name);
    }
  }

  /// The value of the one series with these labels and no others.
  [[nodiscard]] std::optional<double> value(const std::string& name,
                                            const label_set& l = {}) const {
    const auto it = series.find({name, l});
    if (it == series.end()) return std::nullopt;
    return it->second;
  }
  [[nodiscard]] double sum(const std::string& name) const {
    double all = 0;
    for (const auto& [id, v] : series) all += id.first == name ? v : 0;
    return all;
  }
  [[nodiscard]] std::set<std::string> label_values(const std::string& key) const {
    std::set<std::string> all;
    for (const auto& [id, v] : series) {
      if (const auto it = id.second.find(key); it != id.second.end()) all.insert(it->second);
    }
    return all;
  }
  [[nodiscard]] std::string complaints() const {
    std::string all;
    for (const auto& p : problems) all += p + '\n';
    return all;
  }

  std::map<std::pair<std::string, label_set>, double> series;
  std::map<std::string, std::string> types;
  std::vector<std::string> problems;

 private:
  void wrong(const std::string& what, const std::string& where) {
    problems.push_back(what + ": " + where);
  }

  void read(const std::string& line) {
    for (const char c : line) {
      const auto b = static_cast<unsigned char>(c);
      if (b < 0x20 || b > 0x7e) return wrong("not printable", line);
    }
    if (line.starts_with("# HELP ")) return read_help(line.substr(7));
    if (line.starts_with("# TYPE ")) return read_type(line.substr(7));
    if (line.starts_with('#') || line.empty()) return wrong("neither comment nor sample", line);
    read_sample(line);
  }

  void read_help(const std::string& rest) {
    const std::string name = rest.substr(0, rest.find(' '));
    if (!helped_.insert(name).second) wrong("HELP twice", name);
    if (rest.size() < name.size() + 2) wrong("HELP without a text", name);
  }

  void read_type(const std::string& rest) {
    const auto space = rest.find(' ');
    const std::string name = rest.substr(0, space);
    const std::string type = space == std::string::npos ? "" : rest.substr(space + 1);
    if (type != "counter" && type != "gauge" && type != "histogram") wrong("type", rest);
    if (!helped_.contains(name)) wrong("TYPE before HELP", name);
    if (!types.emplace(name, type).second) wrong("TYPE twice", name);
    family_ = name;
  }

  static std::string name_at(std::string_view text) {
    std::size_t n = 0;
    while (n < text.size() && (std::isalnum(static_cast<unsigned char>(text[n])) != 0 ||
                               text[n] == '_' || text[n] == ':')) {
      ++n;
    }
    const bool digit = n > 0 && std::isdigit(static_cast<unsigned char>(text[0])) != 0;
    return digit ? std::string() : std::string(text.substr(0, n));
  }

  void read_sample(const std::string& line) {
    const std::string name = name_at(line);
    if (name.empty()) return wrong("no name", line);
    if (!belongs(name)) wrong("outside its family " + family_, line);
    std::string_view rest = std::string_view(line).substr(name.size());
    label_set labels;
    if (rest.starts_with('{') && !read_labels(rest, labels)) return wrong("labels", line);
    if (!rest.starts_with(' ')) return wrong("no value", line);
    std::size_t used = 0;
    const std::string number(rest.substr(1));
    double v = 0;
    try {
      v = std::stod(number, &used);
    } catch (const std::exception&) {
      return wrong("value", line);
    }
    if (used != number.size()) wrong("after the value", line);
    if (!series.emplace(std::pair(name, labels), v).second) wrong("series twice", line);
  }

  [[nodiscard]] bool belongs(const std::string& name) const {
    const auto type = types.find(family_);
    if (type == types.end()) return false;
    if (type->second != "histogram") return name == family_;
    return name == family_ + "_bucket" || name == family_ + "_sum" || name == family_ + "_count";
  }

  // `{a="x",b="y"}`; leaves what follows.
  static bool read_labels(std::string_view& rest, label_set& labels) {
    rest.remove_prefix(1);
    while (!rest.starts_with('}')) {
      const std::string key = name_at(rest);
      rest.remove_prefix(key.size());
      if (key.empty() || !rest.starts_with("=\"")) return false;
      rest.remove_prefix(2);
      std::string value;
      while (!rest.empty() && rest[0] != '"') {
        if (rest[0] == '\\') {
          rest.remove_prefix(1);
          if (rest.empty() || std::string_view("\\\"n").find(rest[0]) == std::string::npos) {
            return false;
          }
        }
        value += rest[0];
        rest.remove_prefix(1);
      }
      if (rest.empty() || !labels.emplace(key, value).second) return false;
      rest.remove_prefix(1);
      if (rest.starts_with(',')) {
        rest.remove_prefix(1);
      } else if (!rest.starts_with('}')) {
        return false;
      }
    }
    rest.remove_prefix(1);
    return true;
  }

  // Cumulative, ending with +Inf = count, for each set of other labels.
  void check_histogram(const std::string& name) {
    std::map<label_set, std::map<double, double>> buckets;
    for (const auto& [id, v] : series) {
      if (id.first != name + "_bucket") continue;
      label_set others = id.second;
      const auto le = others.extract("le");
      if (le.empty()) {
        wrong("bucket without le", name);
        continue;
      }
      const bool infinite = le.mapped() == "+Inf";
      buckets[others][infinite ? std::numeric_limits<double>::infinity() : std::stod(le.mapped())] =
          v;
    }
    if (buckets.empty()) wrong("histogram without buckets", name);
    for (const auto& [labels, counts] : buckets) {
      double last = 0;
      for (const auto& [le, v] : counts) {
        if (v < last) wrong("buckets are not cumulative", name);
        last = v;
      }
      const bool open = counts.rbegin()->first == std::numeric_limits<double>::infinity();
      if (!open || value(name + "_count", labels) != last) wrong("+Inf is not the count", name);
      if (!value(name + "_sum", labels)) wrong("no sum", name);
    }
  }

  std::set<std::string> helped_;
  std::string family_;
};

}  // namespace redial::inline REDIAL_ABI::testing
