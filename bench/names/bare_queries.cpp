// SPDX-License-Identifier: Apache-2.0
#ifndef CARES_NO_DEPRECATED
#define CARES_NO_DEPRECATED
#endif
#include "names/bare_queries.hpp"

#include <ares.h>
#include <arpa/nameser.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace redial::names_bench {
namespace {

using clock = std::chrono::steady_clock;

// That of redial's timers. Questions that come due meanwhile are asked together, as there: they
// share a socket (c-ares opens one for as long as anything is asked), its nine system calls, and
// the waking up. Asked as they come due, they cost more or less by how soon the last answer was
// there.
constexpr clock::duration grid_step = std::chrono::milliseconds{10};

}  // namespace

struct bare_queries::state {
  ares_channel channel = nullptr;
  int epoll = -1;
  std::size_t in_flight = 0;
  std::uint64_t answered = 0;

  static void on_socket(void* self, ares_socket_t fd, int readable, int writable) {
    auto& s = *static_cast<state*>(self);
    epoll_event e{};
    e.data.fd = fd;
    if (readable == 0 && writable == 0) {
      ::epoll_ctl(s.epoll, EPOLL_CTL_DEL, fd, &e);
      return;
    }
    e.events = (readable != 0 ? EPOLLIN : 0U) | (writable != 0 ? EPOLLOUT : 0U);
    if (::epoll_ctl(s.epoll, EPOLL_CTL_ADD, fd, &e) != 0) {
      ::epoll_ctl(s.epoll, EPOLL_CTL_MOD, fd, &e);
    }
  }

  template <class Byte>
  static void on_answer(void* self, int status, int, Byte*, int) {
    auto& s = *static_cast<state*>(self);
    --s.in_flight;
    if (status == ARES_SUCCESS || status == ARES_ENODATA) ++s.answered;
  }

  void ask(const std::string& name, int type) {
    ++in_flight;
    const ares_callback done = &on_answer;
    ares_query(channel, name.c_str(), ns_c_in, type, done, this);
  }

  // One turn, at most to `until`.
  void turn(clock::time_point until) {
    std::array<epoll_event, 64> events{};
    const auto rest = std::max(clock::duration::zero(), until - clock::now());
    // Rounded up, as epoll_wait does not know less than a millisecond.
    timeval longest{0, std::chrono::ceil<std::chrono::milliseconds>(rest).count() * 1000};
    timeval left{};
    const timeval* const t = ares_timeout(channel, &longest, &left);
    const int wait = static_cast<int>(t->tv_sec * 1000 + t->tv_usec / 1000);
    const int n = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), wait);
    if (n <= 0) ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    for (int i = 0; i < n; ++i) {
      const auto& e = events[static_cast<std::size_t>(i)];
      const bool writable = (e.events & EPOLLOUT) != 0;
      const bool readable = (e.events & ~static_cast<unsigned>(EPOLLOUT)) != 0;
      ares_process_fd(
          channel, readable ? e.data.fd : ARES_SOCKET_BAD, writable ? e.data.fd : ARES_SOCKET_BAD);
    }
  }
};

bare_queries::bare_queries(const std::string& server) : state_(std::make_unique<state>()) {
  state_->epoll = ::epoll_create1(EPOLL_CLOEXEC);
  ares_options options{};
  options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
  options.sock_state_cb = &state::on_socket;
  options.sock_state_cb_data = state_.get();
  int mask = ARES_OPT_FLAGS | ARES_OPT_SOCK_STATE_CB;
#ifdef ARES_OPT_QUERY_CACHE
  options.qcache_max_ttl = 0;
  mask |= ARES_OPT_QUERY_CACHE;
#endif
  if (state_->epoll < 0 || ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS ||
      ares_init_options(&state_->channel, &options, mask) != ARES_SUCCESS ||
      ares_set_servers_ports_csv(state_->channel, server.c_str()) != ARES_SUCCESS) {
    throw std::runtime_error("cannot set up c-ares for " + server);
  }
}

bare_queries::~bare_queries() {
  if (state_->channel != nullptr) ares_destroy(state_->channel);
  if (state_->epoll >= 0) ::close(state_->epoll);
}

std::uint64_t bare_queries::run(const std::vector<std::string>& names,
                                std::uint64_t count,
                                std::chrono::milliseconds span,
                                std::size_t most_in_flight) {
  // Half a step off redial's grid, or they would wait for each other's answers.
  const auto start =
      clock::time_point{clock::now().time_since_epoch() / grid_step * grid_step} + grid_step / 2;
  state_->answered = 0;
  std::uint64_t asked = 0;
  while (asked < count || state_->in_flight > 0) {
    const auto steps = (clock::now() - start) / grid_step;
    const double part = std::chrono::duration<double>(steps * grid_step) / span;
    const auto due =
        part >= 1 ? count
                  : static_cast<std::uint64_t>(std::max(0.0, part) * static_cast<double>(count));
    for (; asked < due && state_->in_flight < most_in_flight; ++asked) {
      state_->ask(names[asked / 2 % names.size()], asked % 2 == 0 ? ns_t_a : ns_t_aaaa);
    }
    state_->turn(start + (steps + 1) * grid_step);
  }
  return state_->answered;
}

}  // namespace redial::names_bench
