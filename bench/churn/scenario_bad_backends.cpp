// SPDX-License-Identifier: Apache-2.0
// Nodes in DNS that do not do their work.
#include "churn/script.hpp"

namespace redial::churn {

namespace {

scenario never_answers(bool quick) {
  script p(quick,
           "never_answers",
           "One of three accepts connections and never answers, and stays in DNS",
           {26'000, 7000});
  p.s.backends = 3;
  p.then(
      {8000, 1500}, "A answers no more", "A mute", [](stage& w) { w.behave("A", manner::mute); });
  return p.s;
}

scenario answers_503(bool quick) {
  script p(quick,
           "answers_503",
           "One of three answers 503 for a while, and stays in DNS",
           {26'000, 7000});
  p.s.backends = 3;
  p.then({8000, 1500}, "A answers 503", "A: 503", [](stage& w) {
    w.behave("A", manner::unavailable);
  });
  p.then({18'000, 4500}, "A answers 200 again", "A: 200", [](stage& w) {
    w.behave("A", manner::serve);
  });
  return p.s;
}

}  // namespace

void add_bad_backends(std::vector<scenario>& all, bool quick) {
  all.push_back(never_answers(quick));
  all.push_back(answers_503(quick));
}

}  // namespace redial::churn
