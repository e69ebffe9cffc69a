// SPDX-License-Identifier: Apache-2.0
#pragma once

// A directory that lives as long as its test.

#include <redial/core/abi.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace redial::inline REDIAL_ABI::testing {

class temp_dir {
 public:
  temp_dir();
  ~temp_dir();
  temp_dir(const temp_dir&) = delete;
  temp_dir& operator=(const temp_dir&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  /// Writes a file (whole) and returns its path.
  std::string write(std::string_view name, std::string_view content) const;
  /// Gives it to the system user `name`; servers that refuse to run as root need that. Only as
  /// root.
  void give_to(const std::string& name) const;

 private:
  std::filesystem::path path_;
};

}  // namespace redial::inline REDIAL_ABI::testing
