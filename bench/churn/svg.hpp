// SPDX-License-Identifier: Apache-2.0
#pragma once

// Writing SVG by hand: numbers, escapes, and the one set of colours.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace redial::churn::svg {

/// `text` for use between tags and in quoted attributes. Bytes that XML forbids become `?`.
[[nodiscard]] std::string escape(std::string_view text);

/// At most two digits after the point, none that say nothing.
[[nodiscard]] std::string number(double value);

/// How many colours there are for things that are told apart: classes `p0`, `p1`, ... fill, `l0`,
/// `l1`, ... stroke.
inline constexpr std::size_t palette_size = 10;

/// Rules for the classes that drawings here use, light first, then dark where the reader prefers
/// it. Plain properties only: not every renderer knows CSS variables.
[[nodiscard]] std::string style();

/// Text that grows. Classes carry all colours; `css` is one or more class names.
class drawing {
 public:
  void rect(
      double x, double y, double width, double height, std::string_view css, double radius = 0);
  void line(double x1, double y1, double x2, double y2, std::string_view css);
  /// `anchor`: start, middle or end.
  void text(double x,
            double y,
            std::string_view words,
            std::string_view css,
            std::string_view anchor = "start");
  /// Two runs of text on one line, of different classes.
  void text_pair(double x,
                 double y,
                 std::string_view words,
                 std::string_view css,
                 std::string_view more,
                 std::string_view more_css);
  /// `path` in SVG's own words.
  void path(std::string_view path, std::string_view css);
  /// A hint that appears under the mouse, around what is drawn until `end_group`.
  void begin_group(std::string_view hint);
  void end_group();

  [[nodiscard]] const std::string& body() const noexcept { return body_; }

 private:
  std::string body_;
};

/// `body` on a card, as a file of its own.
[[nodiscard]] std::string picture(double width,
                                  double height,
                                  std::string_view title,
                                  std::string_view body);

/// Maps one interval onto another.
struct scale {
  double from = 0;
  double to = 1;
  double start = 0;
  double end = 1;
  [[nodiscard]] double operator()(double value) const noexcept {
    return start + (value - from) / (to - from) * (end - start);
  }
};

/// The outline of columns that stand on `floor`: column `i` reaches from `edges[i]` to
/// `edges[i + 1]` and is `heights[i]` tall. Half pixels at best, equal neighbours as one: a path
/// for pictures of which a page has hundreds.
[[nodiscard]] std::string columns(const std::vector<double>& edges,
                                  const std::vector<double>& heights,
                                  double floor);

/// About how wide `text` is at a font size of `size`. Glyphs are not measured: an estimate that is
/// rather too large.
[[nodiscard]] double width_of(std::string_view text, double size) noexcept;

}  // namespace redial::churn::svg
