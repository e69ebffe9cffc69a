// SPDX-License-Identifier: Apache-2.0
#pragma once

// Another value of an environment variable while this lives. Not beside other threads.

#include <redial/core/abi.hpp>

#include <cstdlib>
#include <string>

namespace redial::inline REDIAL_ABI::testing {

class environment {
 public:
  environment(const char* name, const std::string& value) : name_(name) {
    ::setenv(name, value.c_str(), 1);
  }
  ~environment() { ::unsetenv(name_); }
  environment(const environment&) = delete;
  environment& operator=(const environment&) = delete;

 private:
  const char* name_;
};

}  // namespace redial::inline REDIAL_ABI::testing
