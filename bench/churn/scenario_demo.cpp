// SPDX-License-Identifier: Apache-2.0
#include "churn/scenario.hpp"
#include "churn/stage.hpp"

namespace redial::churn {

namespace {

using namespace std::chrono_literals;

// When things happen.
struct timetable {
  duration move;       // A, B -> C, D
  duration kill_old;   // A and B die
  duration kill_new;   // C dies, and DNS does not know yet
  duration replace;    // C -> E in DNS
  duration silence;    // DNS goes silent, D goes down
  duration restarted;  // D is back
  duration speaks_again;
  duration scale_out;  // F joins
  duration end;
  duration ttl_cap;
};

constexpr timetable full{10s, 25s, 32s, 37s, 45s, 48s, 53s, 54s, 66s, 10s};
// The cap is the lowest that a default floor allows, so the rest follows from it.
constexpr timetable brief{1500ms, 3600ms, 4500ms, 5s, 5700ms, 6200ms, 6700ms, 6800ms, 8s, 1s};

}  // namespace

scenario demo_scenario(bool quick) {
  const auto& t = quick ? brief : full;
  scenario s;
  s.name = quick ? "demo --quick" : "demo";
  s.title = "A service moves, crashes and grows; its name server goes silent";
  s.length = t.end;
  s.ttl = 60s;
  s.ttl_cap = t.ttl_cap;
  s.backends = 6;
  s.first = "AB";
  s.steps = {
      {t.move,
       "DNS moves from A, B to C, D",
       "DNS: A, B → C, D",
       [](stage& w) { w.point_to("CD"); }},
      {t.kill_old, "A and B are killed", "A, B killed", [](stage& w) { w.kill("AB"); }},
      {t.kill_new, "C is killed", "C killed", [](stage& w) { w.kill("C"); }},
      {t.replace, "DNS replaces C by E", "DNS: C → E", [](stage& w) { w.point_to("DE"); }},
      {t.silence,
       "DNS goes silent; D is killed",
       "DNS silent, D killed",
       [](stage& w) {
         w.silence(true);
         w.kill("D");
       }},
      {t.restarted, "D is back on its address", "D back", [](stage& w) { w.start("D"); }},
      {t.speaks_again, "DNS answers again", "DNS answers", [](stage& w) { w.silence(false); }},
      {t.scale_out, "DNS adds F", "DNS: + F", [](stage& w) { w.point_to("DEF"); }},
  };
  return s;
}

}  // namespace redial::churn
