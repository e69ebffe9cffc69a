// SPDX-License-Identifier: Apache-2.0
#include "support/temp_dir.hpp"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>

namespace redial::inline REDIAL_ABI::testing {

temp_dir::temp_dir() {
  std::string pattern = (std::filesystem::temp_directory_path() / "redial-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed: " + pattern);
  path_ = pattern;
}

temp_dir::~temp_dir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string temp_dir::write(std::string_view name, std::string_view content) const {
  const auto file = path_ / name;
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << content;
  out.close();
  if (!out) throw std::runtime_error("cannot write " + file.string());
  return file.string();
}

void temp_dir::give_to(const std::string& name) const {
  const passwd* user = ::getpwnam(name.c_str());
  if (user == nullptr) throw std::runtime_error("no system user " + name);
  if (::chown(path_.c_str(), user->pw_uid, user->pw_gid) != 0) {
    throw std::runtime_error("cannot give " + path_.string() + " to " + name);
  }
}

}  // namespace redial::inline REDIAL_ABI::testing
