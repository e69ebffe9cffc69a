// SPDX-License-Identifier: Apache-2.0
#include <redial/core/escaped.hpp>
#include <redial/discovery/environment.hpp>

#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>

namespace redial::inline REDIAL_ABI {

namespace {

// The port in `SERVICE_<port>_NAME`.
std::optional<std::uint16_t> port_in(std::string_view variable) {
  constexpr std::string_view prefix = "SERVICE_";
  constexpr std::string_view suffix = "_NAME";
  if (!variable.starts_with(prefix) || !variable.ends_with(suffix)) return std::nullopt;
  if (variable.size() <= prefix.size() + suffix.size()) return std::nullopt;
  variable.remove_prefix(prefix.size());
  variable.remove_suffix(suffix.size());
  std::uint16_t port = 0;
  const char* const end = variable.data() + variable.size();
  const auto [stopped, failure] = std::from_chars(variable.data(), end, port);
  if (failure != std::errc{} || stopped != end || port == 0) return std::nullopt;
  return port;
}

}  // namespace

std::vector<target> targets_in_environment(const char* const* environment,
                                           std::string_view scheme) {
  std::map<std::uint16_t, target> found;
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    const std::string_view line(*environment);
    const std::string_view variable = line.substr(0, line.find('='));
    const auto port = port_in(variable);
    if (!port || variable.size() == line.size()) continue;
    const std::string name(line.substr(variable.size() + 1));
    const std::string text = std::string(scheme) + "://" + name + ":" + std::to_string(*port);
    auto made = target::parse(text);
    if (!made) {
      throw std::invalid_argument("environment variable " + std::string(variable) + " is \"" +
                                  escaped(name) + "\", and \"" + escaped(text) +
                                  "\" is no target: " + made.error().message());
    }
    found.emplace(*port, *std::move(made));  // of two, the first, as getenv(3)
  }
  std::vector<target> all;
  for (auto& [port, t] : found) all.push_back(std::move(t));
  return all;
}

}  // namespace redial::inline REDIAL_ABI
