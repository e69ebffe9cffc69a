// SPDX-License-Identifier: Apache-2.0
#include <redial/core/version.hpp>
#include <redial/metrics/metrics.hpp>

#include "core/option_range.hpp"
#include "metrics/samples.hpp"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI {

namespace {

struct registration {
  meter read;
  std::string pool;        // as given
  detail::samples last{};  // when it was last read
  bool over = false;       // added to what is gone
};

metrics_options valid(const metrics_options& o) {
  detail::check_count("metrics_options", "max_pools", o.max_pools, {1}, {100'000});
  return o;
}

}  // namespace

struct metrics::state {
  explicit state(const metrics_options& o) : options(valid(o)) {}

  // The labels in use stay in use, since the figures of what is gone keep theirs.
  std::string label(const std::string& text) {
    std::string value = detail::label_value(text);
    if (labels.contains(value)) return value;
    if (labels.size() >= options.max_pools) return "other";
    return *labels.insert(std::move(value)).first;
  }

  // False when what it reads is gone.
  bool read(registration& r) {
    const auto m = r.read();
    if (!m) return false;
    const bool labelled = m->pool || m->client;
    detail::samples now;
    now.add(*m, labelled ? label(r.pool.empty() ? m->name : r.pool) : std::string());
    r.last = std::move(now);
    return true;
  }

  const metrics_options options;

  std::mutex adding;  // guards `added` only, so that nobody waits for a reading
  std::vector<registration> added;

  std::mutex reading;  // guards the rest; held while objects are read
  std::vector<registration> all;
  detail::samples gone;
  std::set<std::string> labels;
};

metrics::metrics(const metrics_options& options) : state_(std::make_unique<state>(options)) {}
metrics::metrics(metrics&&) noexcept = default;
metrics& metrics::operator=(metrics&&) noexcept = default;
metrics::~metrics() = default;

void metrics::add_meter(meter read, std::string_view pool) {
  if (!read) throw std::invalid_argument("metrics::add_meter: read is empty: give a function");
  const std::lock_guard lock(state_->adding);
  state_->added.push_back({std::move(read), std::string(pool)});
}

std::string metrics::text() const {
  const std::lock_guard lock(state_->reading);
  {
    const std::lock_guard adding(state_->adding);
    std::ranges::move(std::exchange(state_->added, {}), std::back_inserter(state_->all));
  }
  detail::samples sum;
  sum.add(detail::family::build_info, "version=\"" + std::string(version()) + "\"", 1);
  for (registration& r : state_->all) {
    if (r.over) continue;  // a meter threw last time
    if (state_->read(r)) {
      sum += r.last;
    } else {
      state_->gone += r.last.lasting();
      r.over = true;
    }
  }
  std::erase_if(state_->all, [](const registration& r) { return r.over; });
  sum += state_->gone;
  return sum.text();
}

}  // namespace redial::inline REDIAL_ABI
