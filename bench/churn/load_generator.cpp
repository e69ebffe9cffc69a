// SPDX-License-Identifier: Apache-2.0
#include "churn/load_generator.hpp"

#include <algorithm>
#include <utility>

namespace redial::churn {

namespace {

send_plan plan_of(const load_settings& s) {
  return s.phases.empty() ? send_plan(s.rate, s.length) : send_plan(s.phases, s.length);
}

}  // namespace

load_generator::load_generator(boost::asio::io_context& io,
                               contestant& c,
                               const load_settings& settings)
    : timer_(io),
      contestant_(c),
      settings_(settings),
      plan_(plan_of(settings)),
      records_(plan_.size()),
      answered_(plan_.size(), false) {}

void load_generator::run(time_point start, std::function<void()> finished) {
  start_ = start;
  finished_ = std::move(finished);
  wait_for_next();
}

void load_generator::wait_for_next() {
  if (next_ < plan_.size()) {
    timer_.expires_at(start_ + plan_.at(next_));
    timer_.async_wait([this](const auto& ec) {
      if (!ec) send_due();
    });
    return;
  }
  // A contestant that loses a request must not stop the run from ending.
  timer_.expires_at(start_ + plan_.at(plan_.size() - 1) + settings_.deadline +
                    std::chrono::seconds{1});
  timer_.async_wait([this](const auto& ec) {
    if (!ec) give_up();
  });
  maybe_finish();
}

void load_generator::send_due() {
  const auto now = clock::now();
  // All that are due: a late thread sends late, it does not skip.
  for (const auto due = plan_.due(now - start_); next_ < due; ++next_) send(next_, now);
  wait_for_next();
}

void load_generator::send(std::size_t index, time_point now) {
  auto& record = records_[index];
  record.id = index;
  record.planned = plan_.at(index);
  record.sent = now - start_;
  live_.sent.fetch_add(1, std::memory_order_relaxed);
  ++in_flight_;
  if (in_flight_ > settings_.in_flight_limit) {
    reply refused;
    refused.error = "not sent: too many in flight";
    completed(index, std::move(refused));
    return;
  }
  const auto deadline = start_ + record.planned + settings_.deadline;
  contestant_.async_get(index, deadline, [this, index](reply r) {
    completed(index, std::move(r));
    maybe_finish();
  });
}

void load_generator::completed(std::size_t index, reply r) {
  if (answered_[index]) return;
  answered_[index] = true;
  --in_flight_;
  auto& record = records_[index];
  record.done = clock::now() - start_;
  if (r.ok && record.done > record.planned + settings_.deadline) {
    r.ok = false;
    r.error = "answered after the deadline";
  }
  record.ok = r.ok;
  record.attempts = r.attempts;
  record.error = std::move(r.error);
  (record.ok ? live_.ok : live_.failed).fetch_add(1, std::memory_order_relaxed);
  if (!record.ok || r.backend.empty()) return;
  const auto letter = static_cast<std::size_t>(r.backend.front() - 'A');
  if (letter >= live_.by_backend.size()) return;
  record.backend = static_cast<int>(letter);
  live_.by_backend[letter].fetch_add(1, std::memory_order_relaxed);
}

void load_generator::give_up() {
  for (std::size_t i = 0; i < answered_.size(); ++i) {
    if (answered_[i]) continue;
    reply lost;
    lost.error = "never completed";
    completed(i, std::move(lost));
  }
  maybe_finish();
}

void load_generator::maybe_finish() {
  if (next_ < plan_.size() || in_flight_ != 0 || !finished_) return;
  timer_.cancel();
  std::exchange(finished_, nullptr)();
}

}  // namespace redial::churn
