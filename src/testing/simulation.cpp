// SPDX-License-Identifier: Apache-2.0
#include <redial/testing/simulation.hpp>

#include <boost/asio/io_context.hpp>

#include <ostream>
#include <utility>

namespace redial::inline REDIAL_ABI::testing {

std::string to_string(const leftovers& l) {
  if (l.none()) return "nothing";
  std::string text = std::to_string(l.armed_timers) + " armed timer(s)";
  if (l.pending_work) text += ", pending work on the executor";
  return text;
}

std::ostream& operator<<(std::ostream& out, const leftovers& l) { return out << to_string(l); }

simulation::simulation(std::uint64_t seed, const sim_limits& limits)
    : context_(std::make_unique<boost::asio::io_context>(1)), rng_(seed) {
  time_ = std::make_shared<sim_scheduler>(*context_, limits);
}

// Handlers that the context destroys may own objects that disarm their timers, so the clock stays.
simulation::~simulation() {
  time_->stop();
  context_.reset();
}

boost::asio::any_io_executor simulation::executor() const { return context_->get_executor(); }

void simulation::after(duration delay, std::function<void()> what) {
  time_->call_at(redial::after(now(), delay), std::move(what));
}

leftovers simulation::left_over() {
  settle();
  leftovers left;
  left.armed_timers = time_->armed_timers();
  context_->restart();
  context_->poll();
  left.pending_work = !context_->stopped();
  return left;
}

}  // namespace redial::inline REDIAL_ABI::testing
