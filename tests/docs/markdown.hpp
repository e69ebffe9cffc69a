// SPDX-License-Identifier: Apache-2.0
#pragma once

// As much of Markdown as our own pages use: headings and their anchors, links, tables, fences.

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace redial::testing {

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  std::ostringstream all;
  all << in.rdbuf();
  return all.str();
}

inline std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

inline std::string without(std::string text, char c) {
  std::erase(text, c);
  return text;
}

struct markdown_link {
  std::string to;
  std::size_t line = 0;
  std::size_t begin = 0;  ///< Of the whole link in its line, with its text.
  std::size_t end = 0;
  std::string text;
  bool is_image = false;
};

struct markdown_heading {
  std::size_t line = 0;
  std::size_t level = 0;
  std::string text;
  std::string anchor;  ///< As GitHub makes them.
};

/// One page. Lines count from 1; `lines` keeps them as they are.
class markdown_page {
 public:
  explicit markdown_page(const std::string& text) {
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    read();
  }

  std::vector<std::string> lines;
  std::vector<bool> is_code;  ///< By line: inside a fence, the fence itself or an HTML comment.
  std::vector<markdown_heading> headings;
  std::vector<markdown_link> links;
  std::vector<std::string> problems;

  [[nodiscard]] std::set<std::string> anchors() const {
    std::set<std::string> all;
    for (const auto& h : headings) all.insert(h.anchor);
    return all;
  }

  /// The rows of the tables below the heading with this text (backticks aside), without their head;
  /// cells are trimmed.
  [[nodiscard]] std::vector<std::vector<std::string>> rows_below(std::string_view heading) const {
    std::vector<std::vector<std::string>> rows;
    const auto from = std::find_if(headings.begin(), headings.end(), [&](const auto& h) {
      return without(h.text, '`') == heading;
    });
    if (from == headings.end()) return rows;
    const std::size_t end =
        std::next(from) == headings.end() ? lines.size() + 1 : std::next(from)->line;
    for (std::size_t n = from->line + 1; n < end; ++n) {
      const std::string& line = lines[n - 1];
      if (is_code[n - 1] || !line.starts_with('|')) continue;
      if (n < lines.size() && lines[n].starts_with("|---")) {
        ++n;  // the head, and the line below it
        continue;
      }
      rows.push_back(cells_of(line));
    }
    return rows;
  }

  static std::string anchor_of(std::string_view heading) {
    std::string anchor;
    for (const char c : heading) {
      const auto byte = static_cast<unsigned char>(c);
      if (std::isalnum(byte) != 0 || c == '-' || c == '_' || byte >= 0x80) {
        anchor += static_cast<char>(std::tolower(byte));
      } else if (c == ' ') {
        anchor += '-';
      }
    }
    return anchor;
  }

 private:
  static std::vector<std::string> cells_of(const std::string& line) {
    std::vector<std::string> cells;
    std::string cell;
    for (std::size_t i = 1; i < line.size(); ++i) {
      if (line[i] == '\\' && i + 1 < line.size() && line[i + 1] == '|') {
        cell += line[++i];
      } else if (line[i] == '|') {
        cells.push_back(trimmed(cell));
        cell.clear();
      } else {
        cell += line[i];
      }
    }
    return cells;
  }

  void read() {
    bool in_fence = false;
    bool in_comment = false;
    std::map<std::string, int> seen;
    for (std::size_t n = 1; n <= lines.size(); ++n) {
      const std::string& line = lines[n - 1];
      const auto first = line.find_first_not_of(' ');
      const bool fence = first != std::string::npos && line.compare(first, 3, "```") == 0;
      if (!in_fence && !in_comment && line.starts_with("<!--")) in_comment = true;
      is_code.push_back(in_fence || fence || in_comment);
      if (in_comment) {
        if (line.find("-->") != std::string::npos) in_comment = false;
        continue;
      }
      if (fence) {
        if (!in_fence && line.size() == first + 3) {
          problems.push_back(std::to_string(n) + ": a block that does not say its language");
        }
        in_fence = !in_fence;
        continue;
      }
      if (in_fence) continue;
      if (line.starts_with('#')) add_heading(n, seen);
      add_links(n);
    }
    if (in_fence) problems.push_back("a block does not end");
  }

  void add_heading(std::size_t n, std::map<std::string, int>& seen) {
    const std::string& line = lines[n - 1];
    const auto level = line.find_first_not_of('#');
    if (level == std::string::npos || line[level] != ' ') return;
    markdown_heading h{n, level, trimmed(line.substr(level)), {}};
    h.anchor = anchor_of(without(h.text, '`'));
    const int times = seen[h.anchor]++;
    if (times > 0) h.anchor += '-' + std::to_string(times);
    headings.push_back(h);
  }

  // `[text](to)` and `![text](to)`, outside of inline code; the text may hold another link.
  void add_links(std::size_t n) {
    std::string line = lines[n - 1];
    bool code = false;
    for (char& c : line) {
      if (c == '`') code = !code;
      if (code) c = '.';
    }
    for (std::size_t at = line.find("]("); at != std::string::npos; at = line.find("](", at + 1)) {
      std::size_t open = at;
      for (int depth = 1; open > 0 && depth > 0;) {
        --open;
        depth += line[open] == ']' ? 1 : line[open] == '[' ? -1 : 0;
      }
      const auto close = line.find(')', at);
      if (close == std::string::npos) continue;
      const bool image = open > 0 && line[open - 1] == '!';
      links.push_back({line.substr(at + 2, close - at - 2),
                       n,
                       image ? open - 1 : open,
                       close + 1,
                       lines[n - 1].substr(open + 1, at - open - 1),
                       image});
    }
  }
};

}  // namespace redial::testing
