// SPDX-License-Identifier: Apache-2.0
// What the pages of the documentation need besides a compiler.
//
//   redial-doc-pages links <checkout>           relative links and anchors of all Markdown files
//   redial-doc-pages html <directory>           links and anchors of the built pages
//   redial-doc-pages filter <checkout> <file>   the file as Doxygen is to see it, on standard
//   output
//
// Nothing is fetched: links to elsewhere are not looked at. Status 1: there was something wrong.
#include "markdown.hpp"

#include <cstdio>
#include <deque>
#include <iostream>
#include <regex>

namespace fs = std::filesystem;
using redial::testing::markdown_page;
using redial::testing::read_file;

namespace {

int problems = 0;

void problem(const std::string& where, const std::string& what) {
  std::cerr << where << ": " << what << '\n';
  ++problems;
}

bool leads_elsewhere(const std::string& to) {
  static const std::regex scheme("^[a-z][a-z+.-]*:.*");
  return std::regex_match(to, scheme);
}

// --- Markdown -----------------------------------------------------------------------------------

std::map<fs::path, markdown_page> pages_of(const fs::path& root) {
  std::map<fs::path, markdown_page> pages;
  for (auto it = fs::recursive_directory_iterator(root); it != fs::recursive_directory_iterator();
       ++it) {
    const std::string name = it->path().filename().string();
    if (it->is_directory() && (name == "build" || name.starts_with('.'))) {
      it.disable_recursion_pending();
    } else if (it->path().extension() == ".md") {
      pages.emplace(it->path().lexically_relative(root), markdown_page(read_file(it->path())));
    }
  }
  return pages;
}

// The file that a link of `page` leads to, and the anchor in it.
std::pair<fs::path, std::string> destination(const fs::path& page, const std::string& to) {
  const auto hash = to.find('#');
  const std::string file = to.substr(0, hash);
  const std::string anchor = hash == std::string::npos ? "" : to.substr(hash + 1);
  if (file.empty()) return {page, anchor};
  fs::path path = (page.parent_path() / file).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  return {path, anchor};
}

void check_page(const fs::path& root,
                const std::map<fs::path, markdown_page>& pages,
                const fs::path& name) {
  const markdown_page& page = pages.at(name);
  for (const auto& p : page.problems) problem(name.string(), p);
  for (const auto& link : page.links) {
    if (leads_elsewhere(link.to)) continue;
    const std::string where = name.string() + ':' + std::to_string(link.line);
    const auto [path, anchor] = destination(name, link.to);
    if (path.string().starts_with("..") || !fs::exists(root / path)) {
      problem(where, "no such file: " + link.to);
    } else if (!anchor.empty()) {
      const auto other = pages.find(path);
      if (other == pages.end() || !other->second.anchors().contains(anchor)) {
        problem(where, "no such heading: " + link.to);
      }
    }
  }
}

// Clicks from `start`; a link to a folder leads to its README.md.
std::map<fs::path, int> distances(const std::map<fs::path, markdown_page>& pages,
                                  const fs::path& start) {
  std::map<fs::path, int> clicks{{start, 0}};
  std::deque<fs::path> next{start};
  for (; !next.empty(); next.pop_front()) {
    const auto page = pages.find(next.front());
    if (page == pages.end()) continue;
    for (const auto& link : page->second.links) {
      if (leads_elsewhere(link.to)) continue;
      fs::path to = destination(next.front(), link.to).first;
      if (pages.contains(to / "README.md")) to /= "README.md";
      if (clicks.emplace(to, clicks[next.front()] + 1).second) next.push_back(to);
    }
  }
  return clicks;
}

void check_markdown(const fs::path& root) {
  const auto pages = pages_of(root);
  if (!pages.contains("README.md")) problem("README.md", "is not there");
  for (const auto& [name, page] : pages) check_page(root, pages, name);

  const auto from_readme = distances(pages, "README.md");
  for (const char* page : {"first_hour.md", "options.md", "failure_modes.md", "metrics.md"}) {
    const auto it = from_readme.find(fs::path("docs/guide") / page);
    if (it == from_readme.end() || it->second > 2) {
      problem("README.md", std::string("more than two clicks to docs/guide/") + page);
    }
  }
  const auto from_index = distances(pages, "docs/README.md");
  for (const auto& [name, page] : pages) {
    if (!name.string().starts_with("docs/")) continue;
    const auto it = from_index.find(name);
    if (it == from_index.end() || it->second > 1) {
      problem("docs/README.md", "does not lead to " + name.string());
    }
  }
}

// --- HTML ---------------------------------------------------------------------------------------

struct html_page {
  std::set<std::string> anchors;
  std::vector<std::string> links;
};

// Values of the attributes `name`.
void values_of(const std::string& text, std::string_view name, const auto& add) {
  const std::string mark = ' ' + std::string(name) + "=\"";
  for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at)) {
    at += mark.size();
    const std::size_t end = text.find('"', at);
    if (end == std::string::npos) return;
    add(text.substr(at, end - at));
  }
}

void check_html(const fs::path& directory) {
  std::map<fs::path, html_page> pages;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (entry.path().extension() != ".html") continue;
    const std::string text = read_file(entry.path());
    html_page& page = pages[entry.path().lexically_relative(directory)];
    for (const char* name : {"id", "name"}) {
      values_of(text, name, [&](const std::string& v) { page.anchors.insert(v); });
    }
    for (const char* name : {"href", "src", "data"}) {
      values_of(text, name, [&](const std::string& v) { page.links.push_back(v); });
    }
  }
  if (!pages.contains("index.html")) problem(directory.string(), "no index.html");
  for (const auto& [name, page] : pages) {
    for (const auto& link : page.links) {
      // Doxygen 1.9.4 offers this one also where all nested classes are private and left out.
      if (link == "#nested-classes") continue;
      if (leads_elsewhere(link) || link == "#" || link.empty()) continue;
      const auto [path, anchor] = destination(name, link);
      const auto other = pages.find(path);
      if (other == pages.end() ? !fs::exists(directory / path)
                               : !anchor.empty() && !other->second.anchors.contains(anchor)) {
        problem(name.string(), "leads nowhere: " + link);
      }
    }
  }
}

// --- what Doxygen sees --------------------------------------------------------------------------

// Doxygen's name for a page or a heading.
std::string label(const fs::path& page, const std::string& anchor = {}) {
  std::string name = page.string().substr(0, page.string().size() - 3);
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return anchor.empty() ? name : name + '-' + anchor;
}

// A link as Doxygen understands it; those to files that are not among its pages become plain text.
std::string link_for_doxygen(const fs::path& root,
                             const fs::path& page,
                             const redial::testing::markdown_link& link) {
  if (leads_elsewhere(link.to)) return {};
  const auto [path, anchor] = destination(page, link.to);
  if (link.is_image) return "![" + link.text + "](" + path.filename().string() + ')';
  const bool is_page = path.extension() == ".md" && path.string().starts_with("docs/");
  if (!is_page || !fs::exists(root / path)) return link.text;
  return '[' + link.text + "](@ref " + label(path, anchor) + ')';
}

void filter_markdown(const fs::path& root, const fs::path& file) {
  const fs::path name = file.lexically_relative(root);
  const markdown_page page(read_file(file));
  std::vector<std::string> lines = page.lines;
  for (auto link = page.links.rbegin(); link != page.links.rend(); ++link) {
    const std::string text = link_for_doxygen(root, name, *link);
    if (!text.empty()) lines[link->line - 1].replace(link->begin, link->end - link->begin, text);
  }
  for (const auto& h : page.headings) {
    lines[h.line - 1] = std::string(h.level, '#') + ' ' + redial::testing::without(h.text, '`') +
                        " {#" + label(name, h.level == 1 ? "" : h.anchor) + '}';
  }
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const bool comment = page.is_code[i] && page.lines[i].starts_with("<!--");
    if (comment) {  // up to its end, which is a line of its own or the same one
      while (lines[i].find("-->") == std::string::npos) lines[i++].clear();
      lines[i].clear();
    }
    // Doxygen knows its languages by the ending of a file.
    if (lines[i].starts_with("```") && lines[i].size() > 3) {
      const std::string language = lines[i].substr(3);
      lines[i] = language == "cpp" ? "```{.cpp}" : "```{.unparsed}";
    }
  }
  for (const auto& line : lines) std::cout << line << '\n';
}

// The inline namespace is a matter of linking, and would be part of every name. A comparison that
// is
// `= default` says all about itself.
void filter_header(const fs::path& file) {
  static const std::regex abi("namespace redial::inline REDIAL_ABI");
  static const std::regex comparison("friend [^;{}()]*operator(==|<=>)\\([^;{}()]*\\) = default;");
  const std::string text = std::regex_replace(read_file(file), abi, "namespace redial");
  // Doxygen takes `::ffff` for a name of the program; written out it is the same address.
  static const std::regex mapped("`::ffff:");
  std::cout << std::regex_replace(
      std::regex_replace(text, comparison, ""), mapped, "`0:0:0:0:0:ffff:");
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string what = argc > 2 ? argv[1] : "";
  if (what == "links" && argc == 3) {
    check_markdown(argv[2]);
  } else if (what == "html" && argc == 3) {
    check_html(argv[2]);
  } else if (what == "filter" && argc == 4) {
    const fs::path file(argv[3]);
    file.extension() == ".md" ? filter_markdown(argv[2], file) : filter_header(file);
  } else {
    std::cerr << "usage: redial-doc-pages links <checkout> | html <directory> | "
                 "filter <checkout> <file>\n";
    return 2;
  }
  return problems == 0 ? 0 : 1;
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 2;
}
