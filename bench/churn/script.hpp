// SPDX-License-Identifier: Apache-2.0
#pragma once

// How the catalogue writes its scenarios, each in its full and its quick length.

#include "churn/scenario.hpp"
#include "churn/stage.hpp"

#include <initializer_list>
#include <string>
#include <utility>

namespace redial::churn {

/// Milliseconds in the full run and in the quick one.
struct moment {
  std::int64_t full = 0;
  std::int64_t quick = 0;
};

class script {
 public:
  /// Three backends in DNS with a TTL of 60 s, until told otherwise.
  script(bool quick, std::string name, std::string title, moment length) : quick_(quick) {
    s.name = std::move(name);
    s.title = std::move(title);
    s.length = at(length);
    s.ttl = std::chrono::seconds{60};
    s.ttl_cap = std::chrono::seconds{quick ? 1 : 10};
    s.backends = 4;
    s.first = "ABC";
  }

  [[nodiscard]] duration at(moment m) const {
    return std::chrono::milliseconds{quick_ ? m.quick : m.full};
  }

  void then(moment m, std::string text, std::string label, std::function<void(stage&)> action) {
    s.steps.push_back({at(m), std::move(text), std::move(label), std::move(action)});
  }
  void suddenly(moment m, std::string text, std::string label, std::function<void(stage&)> action) {
    then(m, std::move(text), std::move(label), std::move(action));
    s.steps.back().sudden = true;
  }
  /// DNS replaces one list of backends by another.
  void move(moment m, const std::string& from, const std::string& to, const std::string& all) {
    then(m,
         "DNS moves from " + from + " to " + to,
         "DNS: " + from + " \u2192 " + to,
         [all](stage& w) { w.point_to(all); });
  }
  void kill(moment m, const std::string& letters) {
    then(m, letters + " killed", letters + " killed", [letters](stage& w) { w.kill(letters); });
  }

  scenario s;

 private:
  bool quick_;
};

// The catalogue by kind. Each appends to `all`.
void add_moves(std::vector<scenario>& all, bool quick);
void add_restarts(std::vector<scenario>& all, bool quick);
void add_deaths(std::vector<scenario>& all, bool quick);
void add_bad_backends(std::vector<scenario>& all, bool quick);
void add_outages(std::vector<scenario>& all, bool quick);
void add_other_sources(std::vector<scenario>& all, bool quick);

}  // namespace redial::churn
