// SPDX-License-Identifier: Apache-2.0
// The driver's part of a checkout: the quick one, the waiting one, and its cancellation.

#include "pool/pool_core_hot.hpp"
#include "pool/pool_state.hpp"

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>

#include <new>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {

namespace asio = boost::asio;

boost::system::result<lease_base> pool_state::try_checkout(
    const checkout_options& options) noexcept {
  verify_process();
  pool_slot* s = nullptr;
  {
    const std::lock_guard lock(mutex_);
    s = core_.take_idle(options.tried, options.key);
    if (s == nullptr) return core_.why_nothing();
  }
  s = checked(*s, &options);
  if (s == nullptr) return why_nothing();
  return lease_base(s);
}

error_code pool_state::why_nothing() const noexcept {
  const std::lock_guard lock(mutex_);
  return core_.why_nothing();
}

// The rarer part: connections that must be asked whether they are alive, and spares to replace.
pool_slot* pool_state::checked(pool_slot& first, const checkout_options* options) noexcept {
  pool_slot* s = &first;
  while (is_dead(*s)) {
    pool_slot* next = nullptr;
    const close_reason why = s->connection->unquiet_reason();
    try {
      step([&](time_point now, pool_actions& out) {
        core_.drop_dead(*s, why, now, out);
        next =
            options != nullptr ? core_.take_idle(options->tried, options->key) : core_.take_idle();
      });
    } catch (const std::bad_alloc&) {
      // It is gone all the same.
    }
    if (next == nullptr) return nullptr;
    s = next;
  }
  look_after(*s);
  return s;
}

void pool_state::look_after(pool_slot& s) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (core_.is_undated(s)) core_.date_lease(s, time_->now());
    if (!core_.is_short_of_spares(s) && !core_.table().choice().is_starving()) return;
  }
  try {
    step([&](time_point now, pool_actions& out) {
      core_.feed_starved(now, out);
      if (core_.is_short_of_spares(s)) core_.refill(now, out);
    });
  } catch (const std::bad_alloc&) {
    // The next step looks after them.
  }
}

bool pool_state::is_dead(pool_slot& s) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (!core_.needs_check(s)) return false;
    const time_point now = core_.is_ticking() ? core_.coarse_now() : time_->now();
    if (!core_.has_rested_too_long(s, now)) return false;
  }
  return !s.connection->quiet();
}

void pool_state::start_checkout(const checkout_options& options, completion<checked_out> done) {
  if (auto found = try_checkout(options)) {
    if (may_post()) std::move(done).post(executor_, {}, std::move(*found));
    return;
  }
  const ticket mine = ++tickets_;
  if (auto slot = done.slot(); slot.is_connected()) {
    slot.assign([weak = weak_from_this(), mine](asio::cancellation_type) {
      if (const auto self = weak.lock()) self->on_cancelled(mine);
    });
  }
  error_code refused;
  lease_base got;
  bool waits = false;
  const auto begin = [&](time_point now, pool_actions& out) {
    // Somebody may have returned one since.
    if (pool_slot* s = core_.take_idle(options.tried, options.key)) {
      core_.date_lease(*s, now);
      got = lease_base(s);
      return;
    }
    auto& me = waiting_[mine];
    me.done = std::move(done);
    waits = true;
    refused = core_.enqueue(mine, options, now, out);
    if (!refused) return;
    done = std::move(me.done);
    waiting_.erase(mine);
    waits = false;
  };
  try {
    step(begin);
  } catch (const std::bad_alloc& e) {
    if (!waits || retract(mine) || is_lost(e, mine)) throw;  // else its end is posted
  }
  const bool over = got || refused;
  if (over && may_post()) std::move(done).post(executor_, refused, std::move(got));
}

bool pool_state::retract(ticket t) noexcept {
  callers::node_type gone;  // goes without the lock
  const std::lock_guard lock(mutex_);
  (void)core_.cancel(t);
  gone = waiting_.extract(t);
  return !gone.empty();
}

void pool_state::on_cancelled(ticket t) {
  step([&](time_point, pool_actions& out) {
    room_for_one_more(out.waits_over);
    if (core_.cancel(t)) out.waits_over.push_back({t, asio::error::operation_aborted, nullptr});
  });
}

}  // namespace redial::inline REDIAL_ABI::detail
