// SPDX-License-Identifier: Apache-2.0
#pragma once

// The commands of redial-churn, a file each.

#include <CLI/App.hpp>

#include <string>

namespace redial::churn {

// Exit statuses besides 0.
constexpr int promise_broken = 1;
constexpr int harness_failed = 2;
constexpr int nothing_played = 77;  // as ctest and automake know a skipped test
constexpr int interrupted_by_user = 130;

/// One start of the program.
struct invocation {
  std::string command;  ///< As it was typed, for the record.
  int status = 0;       ///< What to exit with; set by the command.
};

// Each adds its command to `app`; it runs while the command line is parsed.
void add_demo(CLI::App& app, invocation& self);
void add_list(CLI::App& app, invocation& self);
void add_run(CLI::App& app, invocation& self);
void add_limits(CLI::App& app, invocation& self);
void add_report(CLI::App& app, invocation& self);
void add_backend(CLI::App& app, invocation& self);

}  // namespace redial::churn
