// SPDX-License-Identifier: Apache-2.0
#include "core/option_range.hpp"

#include <fmt/format.h>

#include <chrono>
#include <stdexcept>
#include <string>

namespace redial::inline REDIAL_ABI::detail {

namespace {

using namespace std::chrono_literals;

std::string text_of(duration d) {
  if (d >= longest_duration) return "no limit";
  if (d % 1s == 0s) return fmt::format("{} s", d / 1s);
  if (d % 1ms == 0ms) return fmt::format("{} ms", d / 1ms);
  return fmt::format("{} ns", d / 1ns);
}
std::string text_of(std::uint64_t n) { return fmt::format("{}", n); }
std::string text_of(double d) { return fmt::format("{}", d); }

template <class Value>
std::string text_of(const range_end<Value>& e) {
  return e.option == nullptr ? text_of(e.value)
                             : fmt::format("{} ({})", e.option, text_of(e.value));
}

template <class Value>
void check(const char* owner,
           const char* name,
           Value value,
           const range_end<Value>& low,
           const range_end<Value>& high) {
  if (value >= low.value && value <= high.value) return;
  throw std::invalid_argument(fmt::format("{}::{} is {}: must be from {} to {}",
                                          owner,
                                          name,
                                          text_of(value),
                                          text_of(low),
                                          text_of(high)));
}

}  // namespace

void check_count(const char* owner,
                 const char* name,
                 std::uint64_t value,
                 range_end<std::uint64_t> low,
                 range_end<std::uint64_t> high) {
  check(owner, name, value, low, high);
}

void check_time(const char* owner,
                const char* name,
                duration value,
                range_end<duration> low,
                range_end<duration> high) {
  check(owner, name, value, low, high);
}

void check_number(const char* owner,
                  const char* name,
                  double value,
                  range_end<double> low,
                  range_end<double> high) {
  check(owner, name, value, low, high);
}

}  // namespace redial::inline REDIAL_ABI::detail
