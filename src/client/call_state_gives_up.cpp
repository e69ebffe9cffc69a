// SPDX-License-Identifier: Apache-2.0
// A call that leaves before it is served: for want of memory, or from the pool's queue.

#include "client/call_state.hpp"

#include <boost/asio/post.hpp>

#include <array>
#include <new>
#include <utility>

namespace redial::detail {

namespace asio = boost::asio;

void call_state::abandon() {
  std::array<lease_base, 2> leases;  // these go without the lock
  completion<called> done;
  std::shared_ptr<client_state> client;
  call_tally tally;
  {
    const locked lock(mutex_);
    if (client_ == nullptr) return;
    client = std::move(client_);
    done = std::move(done_);
    for (std::size_t i = 0; i < running_.size(); ++i) {
      if (call_attempt* const a = std::exchange(running_[i], nullptr))
        leases[i] = std::move(a->lease);
    }
    time_->disarm(timer_);
    armed_ = time_point::max();
    tally.failed = true;
    tally.attempts = machine_.begun();
  }
  client->count(tally);
  if (client->call_ended(*this)) client->calls_over();
}

void call_state::leave_queue(const client_state& client,
                             const asio::any_io_executor& strand) noexcept {
  if (!client.may_post()) return;
  try {
    asio::post(strand, [self = shared_from_this()] {
      self->queue_signal_.emit(asio::cancellation_type::terminal);
    });
  } catch (const std::bad_alloc&) {
    // It goes on waiting, and gives back what it gets.
  }
}

}  // namespace redial::detail
