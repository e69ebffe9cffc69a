// SPDX-License-Identifier: Apache-2.0
#include "dns/live_channel.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <sys/socket.h>

#include <utility>

namespace redial::detail {
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
  bool is_stream = false;
  bool wants[2] = {false, false};    // to read, to write
  bool waiting[2] = {false, false};  // for which a wait is under way
  spin_guard spin;
};

live_channel::live_channel(asio::any_io_executor strand,
                           std::shared_ptr<scheduler> time,
                           std::function<void()> stirred)
    : strand_(std::move(strand)), time_(std::move(time)), stirred_(std::move(stirred)) {}

live_channel::~live_channel() {
  time_->disarm(timer_);
  channel_.reset();
  for (const auto& [fd, w] : watched_) w->let_go();
}

std::shared_ptr<live_channel> live_channel::create(const asio::any_io_executor& strand,
                                                   const std::shared_ptr<scheduler>& time,
                                                   const std::vector<nameserver>& servers,
                                                   duration try_timeout,
                                                   std::function<void()> stirred,
                                                   error_code& why) {
  auto out = std::make_shared<live_channel>(strand, time, std::move(stirred));
  out->channel_ = cares_channel::create(servers, try_timeout, *out, why);
  if (!out->channel_) return nullptr;
  out->timer_.owned_by(out->weak_from_this());
  return out;
}

void live_channel::ask(std::uint64_t id, const question& q) {
  channel_->query(id, q);
  after_step();
}

std::vector<channel_result> live_channel::take_finished() { return std::exchange(finished_, {}); }

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
  w->is_stream = is_stream(fd);
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

void live_channel::ready(const watched_ptr& w, bool for_write) {
  if (fault_ != channel_fault::none) return;
  if (!w->wants[for_write]) return;
  // Streams only: datagrams are used up by reading, and a flood of false ones must not cost the
  // channel.
  if (w->is_stream && w->spin.ready(clock::now())) return fail(channel_fault::spin);
  channel_->process(w->fd, !for_write, for_write);
  if (!w->dead) arm(w);
  after_step();
}

// On a thread of the scheduler.
void live_channel::on_timer() {
  asio::post(strand_, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || self->fault_ != channel_fault::none) return;
    self->channel_->process_timeouts();
    self->after_step();
  });
}

void live_channel::after_step() {
  auto finished = channel_->take_finished();
  if (!finished.empty()) {
    for (const auto& [fd, w] : watched_) w->spin.progress();
    if (finished_.empty()) {
      finished_ = std::move(finished);
    } else {
      std::move(finished.begin(), finished.end(), std::back_inserter(finished_));
    }
    stirred_();
  }
  const auto next = channel_->next_timeout();
  if (next) {
    time_->arm(timer_, after(time_->now(), *next));
  } else {
    time_->disarm(timer_);
    if (watched_.empty() && channel_->outstanding() > 0) fail(channel_fault::lost_query);
  }
}

void live_channel::fail(channel_fault fault) noexcept {
  if (fault_ != channel_fault::none) return;
  fault_ = fault;
  stirred_();
}

}  // namespace redial::detail
