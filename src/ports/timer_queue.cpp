// SPDX-License-Identifier: Apache-2.0
#include "ports/timer_queue.hpp"

#include <boost/assert.hpp>

#include <algorithm>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {
namespace {

// An expired owner still differs from one that was never named.
[[maybe_unused]] bool was_named(const std::weak_ptr<void>& owner) noexcept {
  const std::weak_ptr<void> nobody;
  return owner.owner_before(nobody) || nobody.owner_before(owner);
}

}  // namespace

void timer_queue::arm(timer& t, time_point when) {
  BOOST_ASSERT_MSG(was_named(t.owner_), "timer::owned_by must come before the first arm");
  if (!is_armed(t)) {
    heap_.push_back({});
    try {
      t.place_ = take_number(t);
    } catch (...) {
      heap_.pop_back();
      throw;
    }
    timers_[t.place_].place = heap_.size() - 1;
  }
  const std::size_t place = timers_[t.place_].place;
  heap_[place] = {when, ++armed_, t.place_};
  settle(place);
}

std::size_t timer_queue::take_number(timer& t) {
  if (free_ == timer::nowhere) {
    timers_.push_back({&t, 0});
    return timers_.size() - 1;
  }
  const std::size_t number = free_;
  free_ = timers_[number].place;
  timers_[number].what = &t;
  return number;
}

void timer_queue::disarm(timer& t) noexcept {
  if (!is_armed(t)) return;
  const std::size_t number = std::exchange(t.place_, timer::nowhere);
  const std::size_t hole = timers_[number].place;
  timers_[number] = {nullptr, std::exchange(free_, number)};
  const entry last = heap_.back();
  heap_.pop_back();
  if (last.number == number) return;
  put(last, hole);
  settle(hole);
}

std::optional<time_point> timer_queue::next() const noexcept {
  if (heap_.empty()) return std::nullopt;
  return heap_.front().when;
}

std::optional<timer_queue::due> timer_queue::take_due(time_point now) noexcept {
  while (!heap_.empty() && heap_.front().when <= now) {
    timer& first = *timers_[heap_.front().number].what;
    disarm(first);
    if (auto owner = first.owner_.lock()) return due{&first, std::move(owner)};
  }
  return std::nullopt;
}

bool timer_queue::before(const entry& a, const entry& b) noexcept {
  return a.when != b.when ? a.when < b.when : a.order < b.order;
}

void timer_queue::put(const entry& e, std::size_t place) noexcept {
  heap_[place] = e;
  timers_[e.number].place = place;
}

void timer_queue::settle(std::size_t place) noexcept { sink(rise(place)); }

std::size_t timer_queue::rise(std::size_t place) noexcept {
  const entry moved = heap_[place];
  while (place > 0) {
    const std::size_t parent = (place - 1) / children;
    if (!before(moved, heap_[parent])) break;
    put(heap_[parent], place);
    place = parent;
  }
  put(moved, place);
  return place;
}

void timer_queue::sink(std::size_t place) noexcept {
  const entry moved = heap_[place];
  for (;;) {
    const std::size_t eldest = children * place + 1;
    if (eldest >= heap_.size()) break;
    std::size_t child = eldest;
    const std::size_t end = std::min(eldest + children, heap_.size());
    for (std::size_t other = eldest + 1; other < end; ++other) {
      if (before(heap_[other], heap_[child])) child = other;
    }
    if (!before(heap_[child], moved)) break;
    put(heap_[child], place);
    place = child;
  }
  put(moved, place);
}

}  // namespace redial::inline REDIAL_ABI::detail
