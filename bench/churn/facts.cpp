// SPDX-License-Identifier: Apache-2.0
#include "churn/facts.hpp"

#include <redial/core/version.hpp>

#include <boost/version.hpp>
#include <fmt/core.h>
#include <sys/utsname.h>

#include <algorithm>
#include <fstream>
#include <string_view>
#include <thread>

namespace redial::churn {

namespace {

std::string processor() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("model name", 0) == 0)
      return line.substr(std::min(line.find(": ") + 2, line.size()));
  }
  return "unknown processor";
}

std::string system_name() {
  utsname u{};
  if (::uname(&u) != 0) return "unknown";
  // Who built the kernel, and when, says nothing about a measurement.
  const std::string_view release = u.release;
  const auto dot = std::min(release.find('.'), release.size() - 1);
  return fmt::format(
      "{} {} {}", u.sysname, release.substr(0, release.find('.', dot + 1)), u.machine);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> facts_of_this_machine(const std::string& command) {
  return {
      {"Command", command},
      {"Machine",
       fmt::format("{} x {}, {}", std::thread::hardware_concurrency(), processor(), system_name())},
      {"Versions",
       fmt::format("redial {}, Boost {}.{}.{}, compiler {}",
                   version(),
                   BOOST_VERSION / 100000,
                   BOOST_VERSION / 100 % 1000,
                   BOOST_VERSION % 100,
                   __VERSION__)},
  };
}

}  // namespace redial::churn
