// SPDX-License-Identifier: Apache-2.0
#pragma once

// The option structs of the public headers, read from their text: names of members and their
// defaults, written as docs/guide/options.md writes them.

#include "markdown.hpp"

#include <cstdint>
#include <optional>
#include <regex>

namespace redial::testing {

struct header_option {
  std::string name;
  std::string fallback;  ///< The default: `5 s`, `true`, `empty`.
};

/// By the name of the struct, in its order.
using header_structs = std::map<std::string, std::vector<header_option>>;

namespace options_detail {

// `text` without comments and without what stands between < and >.
inline std::string bare(const std::string& text) {
  static const std::regex comment("//[^\n]*");
  return std::regex_replace(text, comment, "");
}

inline std::string without_brackets(const std::string& text) {
  std::string all;
  int depth = 0;
  for (const char c : text) {
    if (c == '<') ++depth;
    if (depth == 0) all += c;
    if (c == '>') --depth;
  }
  return all;
}

// A parenthesis before any default.
inline bool is_function(const std::string& statement) {
  return without_brackets(statement.substr(0, statement.find('='))).find('(') != std::string::npos;
}

// The statements of a struct's body up to an access specifier; functions with a body end with it.
inline std::vector<std::string> statements(const std::string& body) {
  std::vector<std::string> all;
  std::string one;
  int depth = 0;
  for (std::size_t i = 0; i < body.size(); ++i) {
    const char c = body[i];
    if (c == '{') ++depth;
    if (c == '}') --depth;
    if (c == ';' && depth == 0) {
      all.push_back(trimmed(one));
      one.clear();
      continue;
    }
    one += c;
    if (c == '}' && depth == 0 && is_function(one)) one.clear();
    if (trimmed(one) == "private:") break;
  }
  return all;
}

// `64 * 1024`, `std::size_t{8} * 1024 * 1024`, `10'000'000`, `-3600`.
inline std::optional<std::int64_t> product(std::string text) {
  static const std::regex cast("std::size_t\\{([0-9']+)\\}");
  text = without(std::regex_replace(text, cast, "$1"), '\'');
  static const std::regex shape("-?[0-9]+( \\* [0-9]+)*");
  if (!std::regex_match(text, shape)) return std::nullopt;
  std::int64_t all = 1;
  static const std::regex number("-?[0-9]+");
  for (std::sregex_iterator it(text.begin(), text.end(), number), end; it != end; ++it) {
    all *= std::stoll(it->str());
  }
  return all;
}

inline std::string with_unit(const std::string& number, const std::string& unit) {
  const auto n = product(number);
  if (!n) return number + ' ' + unit;
  if (*n == 0) return "0";
  if (unit == "seconds" && *n % 3600 == 0) return std::to_string(*n / 3600) + " h";
  static const std::map<std::string, std::string> short_units{{"microseconds", " us"},
                                                              {"milliseconds", " ms"},
                                                              {"seconds", " s"},
                                                              {"minutes", " min"},
                                                              {"hours", " h"}};
  return std::to_string(*n) + short_units.at(unit);
}

// The default of a member of this type, from its initialiser.
inline std::string shown(const std::string& type, const std::string& initialiser) {
  std::smatch m;
  static const std::regex chrono_value("std::chrono::([a-z]+)\\{([^}]*)\\}");
  static const std::regex chrono_type("std::chrono::([a-z]+)");
  static const std::regex enumerator("[a-z_:]+::([a-z_0-9]+)");
  if (std::regex_match(initialiser, m, chrono_value)) return with_unit(m[2], m[1]);
  if (std::regex_match(type, m, chrono_type) && product(initialiser)) {
    return with_unit(initialiser, m[1]);
  }
  if (initialiser.empty()) {
    if (type == "duration") return "0";
    static const std::regex null_type("std::(shared_ptr|unique_ptr)<.*");
    static const std::regex empty_type("std::(string|vector|map|function)(<.*)?|dns_bytes");
    if (std::regex_match(type, null_type)) return "null";
    if (std::regex_match(type, empty_type)) return "empty";
    if (type.starts_with("std::optional")) return "unset";
    return "its own";
  }
  if (initialiser == "duration::zero()" || initialiser == "duration{}") return "0";
  if (initialiser.ends_with("::max()")) return initialiser;
  if (std::regex_match(initialiser, m, enumerator)) return m[1];
  if (const auto n = product(initialiser)) {
    const bool bytes = initialiser.find("* 1024") != std::string::npos;
    if (bytes && *n % (1024 * 1024) == 0) return std::to_string(*n / (1024 * 1024)) + " MiB";
    if (bytes && *n % 1024 == 0) return std::to_string(*n / 1024) + " KiB";
    return std::to_string(*n);
  }
  return initialiser;
}

inline std::optional<header_option> option_of(const std::string& statement) {
  static const std::regex no_member("(enum|using|static|friend|template|explicit|\\[\\[)");
  if (std::regex_search(statement, no_member, std::regex_constants::match_continuous)) {
    return std::nullopt;
  }
  static const std::regex shape(
      "([^={}]+[\\s>])([a-z_][a-z_0-9]*)(?:\\s*=\\s*([\\s\\S]+)|\\{([^{}]*)\\})?");
  std::smatch m;
  if (is_function(statement)) return std::nullopt;
  if (!std::regex_match(statement, m, shape)) {
    throw std::runtime_error("neither member nor function: " + statement);
  }
  return header_option{m[2], shown(trimmed(m[1].str()), trimmed(m[3].str() + m[4].str()))};
}

inline void read_header(const std::string& text, header_structs& all) {
  static const std::regex head(
      "\nstruct (?:REDIAL_API )?([a-z_]+_(?:options|policy|identity|limits|zone|update)) \\{");
  for (std::sregex_iterator it(text.begin(), text.end(), head), end; it != end; ++it) {
    const auto from = static_cast<std::size_t>(it->position() + it->length());
    auto& options = all[(*it)[1]];
    for (const auto& s : statements(text.substr(from, text.find("\n};", from) - from))) {
      if (const auto option = option_of(s)) options.push_back(*option);
    }
  }
}

}  // namespace options_detail

/// Whatever is called an option, policy, identity, limit, zone or update.
inline header_structs option_structs(const std::filesystem::path& include) {
  header_structs all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(include)) {
    const auto path = entry.path();
    if (path.extension() != ".hpp" || path.parent_path().filename() == "impl") continue;
    options_detail::read_header(options_detail::bare(read_file(path)), all);
  }
  return all;
}

}  // namespace redial::testing
