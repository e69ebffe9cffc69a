// SPDX-License-Identifier: Apache-2.0
#pragma once

// Puts measured figures into a page that people write the rest of.

#include "support/figures.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace redial::bench {

/// What one program measured by one command.
struct figure_file {
  std::string program;
  std::string command;
  std::vector<figure> figures;
};

/// Reads what `write_json` wrote.
/// \throws std::runtime_error naming `path` when it cannot be read or is no such file.
[[nodiscard]] figure_file read_json(const std::string& path);

/// The figures as a table in Markdown, below the command that measured them.
[[nodiscard]] std::string markdown(const figure_file& measured);

/// `page` with what stands between the lines `<!-- figures: NAME -->` and `<!-- end -->` replaced:
/// by the tables of the program NAME in the order given, and for the name `machine` by `facts`.
/// Sections of programs that are not in `measured` stay as they are. \throws std::invalid_argument
/// when a program has no section in the page, or a section no end.
[[nodiscard]] std::string with_figures(
    std::string_view page,
    const std::vector<figure_file>& measured,
    const std::vector<std::pair<std::string, std::string>>& facts);

}  // namespace redial::bench
