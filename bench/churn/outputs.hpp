// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a command leaves behind of its runs.

#include "churn/record.hpp"

#include <CLI/App.hpp>

#include <string>

namespace redial::churn {

/// Files to write; an empty name: none.
struct outputs {
  std::string report;
  std::string picture;
  std::string json;
  std::string grid_picture;
  std::string csv;
  std::string series;
  std::string percentiles;  ///< A directory.
  std::string compare;      ///< Results to read and compare with.
};

void add_outputs(CLI::App& command, outputs& o);

/// Makes the directories that are missing. \throws std::runtime_error when it cannot be written.
void write_file(const std::string& path, const std::string& text);
void write_outputs(const run_record& run, const outputs& o);
/// Prints the comparison, too, if one is asked for.
void write_outputs(const suite_record& suite, const outputs& o);

/// What `--json` wrote. \throws std::exception when it cannot be read or is something else.
[[nodiscard]] suite_record read_results(const std::string& path);

/// Prints the table and what was not as promised. Returns the exit status.
[[nodiscard]] int conclude(const run_record& run, const outputs& o);
[[nodiscard]] int conclude(const suite_record& suite);

}  // namespace redial::churn
