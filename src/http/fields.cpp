// SPDX-License-Identifier: Apache-2.0

#include <redial/http/message.hpp>

#include "http/grammar.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace redial::inline REDIAL_ABI {

namespace {

constexpr std::size_t usual_number = 8;  // most messages have no more

template <class Fields>
auto find(Fields& fields, std::string_view name) {
  return std::find_if(fields.begin(), fields.end(), [&](const auto& f) {
    return detail::same_name(f.first, name);
  });
}

}  // namespace

void http_fields::add(std::string name, std::string value) {
  if (fields_.empty()) fields_.reserve(usual_number);
  fields_.emplace_back(std::move(name), std::move(value));
}

// Makes the strings where they stay.
void http_fields::append(std::string_view name, std::string_view value) {
  if (fields_.empty()) fields_.reserve(usual_number);
  fields_.emplace_back(name, value);
}

void http_fields::set(std::string name, std::string value) {
  std::erase_if(fields_, [&](const auto& f) { return detail::same_name(f.first, name); });
  add(std::move(name), std::move(value));
}

std::string_view http_fields::get(std::string_view name) const noexcept {
  const auto found = find(fields_, name);
  return found == fields_.end() ? std::string_view() : std::string_view(found->second);
}

bool http_fields::contains(std::string_view name) const noexcept {
  return find(fields_, name) != fields_.end();
}

}  // namespace redial::inline REDIAL_ABI
