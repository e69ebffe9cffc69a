// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a command leaves behind of one run.

#include "churn/record.hpp"

#include <CLI/App.hpp>

#include <string>

namespace redial::churn {

/// Files to write; an empty name: none.
struct outputs {
  std::string report;
  std::string picture;
  std::string json;
};

void add_outputs(CLI::App& command, outputs& o);

/// Makes the directories that are missing. \throws std::runtime_error when it cannot be written.
void write_file(const std::string& path, const std::string& text);
void write_outputs(const run_record& run, const outputs& o);

/// Prints the table and what was not as promised. Returns the exit status.
[[nodiscard]] int conclude(const run_record& run, const outputs& o);

}  // namespace redial::churn
