// SPDX-License-Identifier: Apache-2.0
// A call that waits in the pool's queue, or leaves before it is served: from there, or for want of
// memory.

#include "client/call_state.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <array>
#include <new>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {

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

// On a strand of its own, because a signal may only be emitted where the handler runs that listens
// to it, and stopping may come from any thread.
void call_state::wait_in_queue(client_state& client,
                               const checkout_options& options,
                               std::uint32_t number) {
  const asio::any_io_executor strand = asio::make_strand(client.executor());
  auto served = [self = shared_from_this()](error_code ec, lease_base lease) {
    self->checkout_done(ec, std::move(lease));
  };
  client.pool().start_checkout(
      options,
      completion<checked_out>(asio::bind_cancellation_slot(
          queue_signal_.slot(), asio::bind_executor(strand, std::move(served)))));
  locked lock(mutex_);
  if (machine_.is_waiting_for_checkout() && machine_.newest() == number) {
    queue_ = strand;
  } else if (machine_.is_finished()) {
    lock.unlock();
    leave_queue(client, strand);
  }
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

}  // namespace redial::inline REDIAL_ABI::detail
