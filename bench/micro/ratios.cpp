// SPDX-License-Identifier: Apache-2.0
#include "micro/ratios.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace redial::micro {

namespace {

// Long enough for the clock, short enough that most slices are not interrupted. Threads that
// contend need longer to show what they do to each other: for a while one may have all, and the
// other sleep.
constexpr double slice_ns = 1e6;
constexpr std::size_t pairs_in_round = 25;
constexpr double contended_slice_ns = 2e7;
constexpr std::size_t contended_pairs = 9;

struct side {
  side(const subject& s, double spent::*by) : made(s.make()), what(by) {
    const double enough = by == &spent::wall_ns ? contended_slice_ns : slice_ns;
    while (quickest() < enough) n *= 2;
  }
  // Of a few: one that was interrupted says nothing.
  [[nodiscard]] double quickest() const {
    double least = made(n).wall_ns;
    for (int i = 0; i < 4; ++i) least = std::min(least, made(n).wall_ns);
    return least;
  }
  [[nodiscard]] double once() const { return made(n).*what / static_cast<double>(n); }

  work made;
  double spent::*what;
  std::size_t n = 1;
};

double middle(std::vector<double> v) {
  std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
  return v[v.size() / 2];
}

}  // namespace

bench::figure compare(const comparison& c, std::size_t rounds) {
  const side candidate(c.candidate, c.by);
  const side baseline(c.baseline, c.by);
  const std::size_t pairs_wanted = c.by == &spent::wall_ns ? contended_pairs : pairs_in_round;
  std::vector<double> results;
  for (std::size_t r = 0; r < rounds; ++r) {
    std::vector<double> pairs;
    for (std::size_t i = 0; i < pairs_wanted; ++i) {
      // Each is first as often as the other.
      double first = i % 2 == 0 ? candidate.once() : baseline.once();
      double second = i % 2 == 0 ? baseline.once() : candidate.once();
      if (i % 2 != 0) std::swap(first, second);
      pairs.push_back(first / second);
    }
    results.push_back(middle(std::move(pairs)));
  }
  return bench::at_least(
      c.at_least, bench::at_most(c.at_most, bench::figure_of(c.name, c.what, "ratio", results)));
}

}  // namespace redial::micro
