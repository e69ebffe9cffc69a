// SPDX-License-Identifier: Apache-2.0
#include "dns/live_channel.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <sys/socket.h>

#include <utility>

namespace redial::inline REDIAL_ABI::detail {
namespace asio = boost::asio;

namespace {

bool is_stream(int fd) noexcept {
  int type = 0;
  socklen_t size = sizeof type;
  return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

}  // namespace

// A socket of c-ares, which opens and closes it. Asio only waits.
struct live_channel::watched {
  explicit watched(const asio::any_io_executor& ex) : descriptor(ex) {}
  // Released, or Asio would close it, perhaps after the number was given to somebody else.
  ~watched() { let_go(); }
  watched(const watched&) = delete;
  watched& operator=(const watched&) = delete;

  void let_go() noexcept {
    dead = true;
    if (descriptor.is_open()) descriptor.release();
  }

  asio::posix::stream_descriptor descriptor;
  int fd = -1;
  bool dead = false;
  std::optional<bool> is_stream;     // asked when it matters
  std::uint64_t results = 0;         // of the channel when this was last ready
  bool wants[2] = {false, false};    // to read, to write
  bool waiting[2] = {false, false};  // for which a wait is under way
  spin_guard spin;
};

live_channel::live_channel(asio::any_io_executor strand,
                           std::shared_ptr<scheduler> time,
                           duration try_timeout,
                           std::function<void()> stirred)
    : strand_(std::move(strand)),
      time_(std::move(time)),
      try_timeout_(try_timeout),
      stirred_(std::move(stirred)) {}

live_channel::~live_channel() {
  time_->disarm(timer_);
  channel_.reset();
  for (const auto& [fd, w] : watched_) w->let_go();
}

std::shared_ptr<live_channel> live_channel::create(const asio::any_io_executor& strand,
                                                   const std::shared_ptr<scheduler>& time,
                                                   const channel_setup& setup,
                                                   std::function<void()> stirred,
                                                   error_code& why) {
  auto out = std::make_shared<live_channel>(strand, time, setup.try_timeout, std::move(stirred));
  out->channel_ = cares_channel::create(setup, *out, why);
  if (!out->channel_) return nullptr;
  out->timer_.owned_by(out->weak_from_this());
  return out;
}

void live_channel::ask(std::uint64_t id, const question& q, time_point now) {
  channel_->query(id, q);
  after_step(now);
}

// Called by c-ares from inside its functions: no calls back into it, and no exceptions.
void live_channel::watch(int fd, bool readable, bool writable) noexcept {
  const auto known = watched_.find(fd);
  if (!readable && !writable) {
    if (known == watched_.end()) return;
    known->second->let_go();
    watched_.erase(known);
    return;
  }
  try {
    const auto w = known != watched_.end() ? known->second : start_watching(fd);
    if (!w) return fail(channel_fault::no_watch);
    w->wants[0] = readable;
    w->wants[1] = writable;
    arm(w);
  } catch (const std::exception&) {
    fail(channel_fault::no_watch);
  }
}

live_channel::watched_ptr live_channel::start_watching(int fd) {
  auto w = std::make_shared<watched>(strand_);
  error_code ec;
  w->descriptor.assign(fd, ec);
  if (ec) return nullptr;
  w->fd = fd;
  watched_.emplace(fd, w);
  return w;
}

void live_channel::arm(const watched_ptr& w) {
  for (const bool for_write : {false, true}) {
    if (w->wants[for_write] && !w->waiting[for_write]) wait(w, for_write);
  }
}

void live_channel::wait(const watched_ptr& w, bool for_write) {
  using descriptor = asio::posix::stream_descriptor;
  const auto what = for_write ? descriptor::wait_write : descriptor::wait_read;
  w->waiting[for_write] = true;
  w->descriptor.async_wait(what, [weak = weak_from_this(), w, for_write](const error_code&) {
    w->waiting[for_write] = false;
    if (w->dead) return;
    if (const auto self = weak.lock()) self->ready(w, for_write);
  });
}

// Streams only: datagrams are used up by reading, and a flood of false ones must not cost the
// channel.
bool live_channel::spins(watched& w) {
  if (std::exchange(w.results, results_) != results_) w.spin.progress();
  if (!w.spin.ready(clock::now())) return false;
  if (!w.is_stream) w.is_stream = is_stream(w.fd);
  return *w.is_stream;
}

void live_channel::ready(const watched_ptr& w, bool for_write) {
  if (fault_ != channel_fault::none) return;
  if (!w->wants[for_write]) return;
  if (spins(*w)) return fail(channel_fault::spin);
  channel_->process(w->fd, !for_write, for_write);
  if (!w->dead) arm(w);
  after_step(time_->now());
}

// On a thread of the scheduler.
void live_channel::on_timer() {
  asio::post(strand_, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || self->fault_ != channel_fault::none) return;
    self->armed_for_.reset();
    self->channel_->process_timeouts();
    self->after_step(self->time_->now());
  });
}

void live_channel::after_step(time_point now) {
  const auto finished = channel_->finished();
  if (std::exchange(results_, finished) != finished) stirred_();
  arm_timer(now);
}

// ares_timeout looks at every open query (1.18.1), so it is asked only where the answer matters: a
// try that just began ends no sooner than half a try timeout from now (c-ares shortens by chance,
// but never more), and a timer that fires too early finds out when the next one is due.
void live_channel::arm_timer(time_point now) {
  const bool busy = armed_for_ && !watched_.empty() && channel_->outstanding() > 0;
  if (busy && !cares_channel::shortens_timeouts()) return arm_by(after(now, try_timeout_ / 2));
  if (const auto next = channel_->next_timeout()) return arm_by(after(now, *next));
  if (armed_for_) time_->disarm(timer_);
  armed_for_.reset();
  if (watched_.empty() && channel_->outstanding() > 0) fail(channel_fault::lost_query);
}

void live_channel::arm_by(time_point when) {
  if (armed_for_ && *armed_for_ <= when) return;
  armed_for_ = when;
  time_->arm(timer_, when);
}

void live_channel::fail(channel_fault fault) noexcept {
  if (fault_ != channel_fault::none) return;
  fault_ = fault;
  stirred_();
}

}  // namespace redial::inline REDIAL_ABI::detail
