// SPDX-License-Identifier: Apache-2.0
#include "churn/svg.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace redial::churn::svg {

namespace {

struct colour {
  std::string_view selector;
  std::string_view property;
  std::string_view light;
  std::string_view dark;
};

// Blue for well, amber for an address that left DNS, red for failed: also apart for those who see
// red and green alike.
constexpr colour colours[] = {
    {".card", "fill", "#ffffff", "#0d1117"},       {".card", "stroke", "#d0d7de", "#30363d"},
    {".ink", "fill", "#1f2328", "#e6edf3"},        {".soft", "fill", "#59636e", "#9198a1"},
    {".good", "fill", "#1a7f37", "#3fb950"},       {".bad", "fill", "#c4162a", "#ff6b60"},
    {".band", "fill", "#e6e9ed", "#30363d"},       {".silent", "fill", "#8250df", "#a371f7"},
    {".ok", "fill", "#2475d1", "#539bf5"},         {".stale", "fill", "#e99a0c", "#e3a83a"},
    {".fail", "fill", "#d1242f", "#f85149"},       {".glow", "fill", "#d1242f", "#f85149"},
    {".grid", "stroke", "#e6e9ed", "#21262d"},     {".event", "stroke", "#818b98", "#6e7681"},
    {".base", "stroke", "#afb8c1", "#484f58"},     {".bound", "stroke", "#9a5b00", "#f0c674"},
    {".cross", "stroke", "#1f2328", "#e6edf3"},    {".dot-ok", "stroke", "#2475d1", "#539bf5"},
    {".dot-fail", "stroke", "#d1242f", "#f85149"}, {".p99", "stroke", "#1f2328", "#e6edf3"},
    {".p99-ours", "stroke", "#1a7f37", "#3fb950"}, {".on", "fill", "#ffffff", "#0d1117"},
    {".cell-good", "fill", "#dafbe1", "#12361f"},  {".cell-fair", "fill", "#fff1b8", "#4a3a06"},
    {".cell-bad", "fill", "#ffdcd8", "#56191c"},   {".cell-missing", "fill", "#f6f8fa", "#161b22"},
};

struct tint {
  std::string_view light;
  std::string_view dark;
};

// Far apart in hue or in lightness. The first is redial's, as in `ok`.
constexpr tint palette[palette_size] = {{"#2475d1", "#539bf5"},
                                        {"#d9730d", "#f0883e"},
                                        {"#1a7f37", "#3fb950"},
                                        {"#8250df", "#a371f7"},
                                        {"#bf3989", "#f778ba"},
                                        {"#0e8a8a", "#39c5cf"},
                                        {"#8a5a2b", "#c69563"},
                                        {"#59636e", "#9198a1"},
                                        {"#8c8500", "#d2c62a"},
                                        {"#c4162a", "#ff6b60"}};

constexpr std::string_view shapes =
    "text{font-family:system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;font-size:13px}"
    ".title{font-size:20px;font-weight:600}.head{font-size:15px;font-weight:600}"
    ".small{font-size:12px}.strong{font-weight:600}"
    ".glow{opacity:.16}.silent{opacity:.13}"
    ".grid,.base{stroke-width:1}.event{stroke-width:1;stroke-dasharray:2 3}"
    ".bound{stroke-width:1.5;stroke-dasharray:4 3}.cross{stroke-width:2;fill:none}"
    ".dot-ok,.dot-fail{stroke-linecap:round;fill:none}.dot-ok{stroke-width:2.8}"
    ".dot-fail{stroke-width:3.4}"
    ".p99,.p99-ours{fill:none;stroke-width:1.5}.p99-ours{stroke-dasharray:5 3}"
    ".curve{fill:none;stroke-width:1.8}.dashed{stroke-dasharray:7 3}.thick{stroke-width:3}";

std::string theme(bool dark) {
  std::string css;
  for (const auto& c : colours) {
    css += fmt::format("{}{{{}:{}}}", c.selector, c.property, dark ? c.dark : c.light);
  }
  for (std::size_t i = 0; i < palette_size; ++i) {
    const auto c = dark ? palette[i].dark : palette[i].light;
    css += fmt::format(".p{0}{{fill:{1}}}.l{0}{{stroke:{1}}}", i, c);
  }
  return css;
}

}  // namespace

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? '?' : c;
    }
  }
  return out;
}

std::string number(double value) {
  auto text = fmt::format("{:.2f}", value);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

std::string style() {
  return fmt::format(
      "{}{}@media (prefers-color-scheme:dark){{{}}}", shapes, theme(false), theme(true));
}

void drawing::rect(
    double x, double y, double width, double height, std::string_view css, double radius) {
  body_ += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"",
                       number(x),
                       number(y),
                       number(std::max(width, 0.0)),
                       number(height));
  if (radius > 0) body_ += fmt::format(" rx=\"{}\"", number(radius));
  body_ += fmt::format(" class=\"{}\"/>\n", css);
}

void drawing::line(double x1, double y1, double x2, double y2, std::string_view css) {
  body_ += fmt::format("<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" class=\"{}\"/>\n",
                       number(x1),
                       number(y1),
                       number(x2),
                       number(y2),
                       css);
}

void drawing::text(
    double x, double y, std::string_view words, std::string_view css, std::string_view anchor) {
  body_ += fmt::format("<text x=\"{}\" y=\"{}\" class=\"{}\"", number(x), number(y), css);
  if (anchor != "start") body_ += fmt::format(" text-anchor=\"{}\"", anchor);
  body_ += fmt::format(">{}</text>\n", escape(words));
}

void drawing::text_pair(double x,
                        double y,
                        std::string_view words,
                        std::string_view css,
                        std::string_view more,
                        std::string_view more_css) {
  body_ += fmt::format(
      "<text x=\"{}\" y=\"{}\" class=\"{}\">{}<tspan dx=\"12\" class=\"{}\">{}</tspan></text>\n",
      number(x),
      number(y),
      css,
      escape(words),
      more_css,
      escape(more));
}

void drawing::path(std::string_view path, std::string_view css) {
  if (!path.empty()) body_ += fmt::format("<path d=\"{}\" class=\"{}\"/>\n", path, css);
}

void drawing::begin_group(std::string_view hint) {
  body_ += fmt::format("<g><title>{}</title>\n", escape(hint));
}

void drawing::end_group() { body_ += "</g>\n"; }

std::string picture(double width, double height, std::string_view title, std::string_view body) {
  drawing card;
  card.rect(0.5, 0.5, width - 1, height - 1, "card", 10);
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
      "height=\"{1}\" role=\"img\">\n<title>{2}</title>\n<style>{3}</style>\n{4}{5}</svg>\n",
      number(width),
      number(height),
      escape(title),
      style(),
      card.body(),
      body);
}

std::string columns(const std::vector<double>& edges,
                    const std::vector<double>& heights,
                    double floor) {
  const auto edge = [&](std::size_t i) { return std::lround(edges[i]); };
  std::string path;
  long level = 0;  // of the outline above `floor`
  for (std::size_t i = 0; i < heights.size();) {
    // What is there at all is seen.
    const auto height = [&](std::size_t at) {
      return heights[at] > 0 ? std::max(1L, std::lround(heights[at])) : 0L;
    };
    const auto next = height(i);
    auto end = i + 1;
    while (end < heights.size() && height(end) == next) ++end;
    if (next != 0) {
      if (level == 0) path += fmt::format("M{} {}", edge(i), number(floor));
      path += fmt::format("v{}h{}", level - next, edge(end) - edge(i));
    } else if (level != 0) {
      path += fmt::format("v{}z", level);
    }
    level = next;
    i = end;
  }
  return level == 0 ? path : path + fmt::format("v{}z", level);
}

double width_of(std::string_view text, double size) noexcept {
  // Continuation bytes of UTF-8 take no room.
  const auto glyphs = std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  });
  return static_cast<double>(glyphs) * size * 0.57;
}

}  // namespace redial::churn::svg
