// SPDX-License-Identifier: Apache-2.0
#include "ports/timer_queue.hpp"

#include <boost/assert.hpp>

#include <utility>

namespace redial::detail {
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
    heap_.push_back(&t);
    t.place_ = heap_.size() - 1;
  }
  t.when_ = when;
  t.order_ = ++armed_;
  settle(t);
}

void timer_queue::disarm(timer& t) noexcept {
  if (!is_armed(t)) return;
  const std::size_t hole = std::exchange(t.place_, timer::nowhere);
  timer* last = heap_.back();
  heap_.pop_back();
  if (last == &t) return;
  put(*last, hole);
  settle(*last);
}

std::optional<time_point> timer_queue::next() const noexcept {
  if (heap_.empty()) return std::nullopt;
  return heap_.front()->when_;
}

std::optional<timer_queue::due> timer_queue::take_due(time_point now) noexcept {
  while (!heap_.empty() && heap_.front()->when_ <= now) {
    timer& first = *heap_.front();
    disarm(first);
    if (auto owner = first.owner_.lock()) return due{&first, std::move(owner)};
  }
  return std::nullopt;
}

bool timer_queue::before(const timer& a, const timer& b) noexcept {
  return a.when_ != b.when_ ? a.when_ < b.when_ : a.order_ < b.order_;
}

void timer_queue::put(timer& t, std::size_t place) noexcept {
  heap_[place] = &t;
  t.place_ = place;
}

void timer_queue::settle(timer& t) noexcept {
  rise(t);
  sink(t);
}

void timer_queue::rise(timer& t) noexcept {
  std::size_t place = t.place_;
  while (place > 0) {
    const std::size_t parent = (place - 1) / 2;
    if (!before(t, *heap_[parent])) break;
    put(*heap_[parent], place);
    place = parent;
  }
  put(t, place);
}

void timer_queue::sink(timer& t) noexcept {
  std::size_t place = t.place_;
  for (;;) {
    std::size_t child = 2 * place + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && before(*heap_[child + 1], *heap_[child])) ++child;
    if (!before(*heap_[child], t)) break;
    put(*heap_[child], place);
    place = child;
  }
  put(t, place);
}

}  // namespace redial::detail
