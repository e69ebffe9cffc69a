// SPDX-License-Identifier: Apache-2.0
//
// Written for c-ares 1.18.1 and later; what came after is asked for by macro. Its habits that shape
// this file:
//   - ares_cancel or ares_destroy from a callback corrupts the heap, so callbacks only store.
//   - The query cache of >= 1.31 would show our TTLs wrong and hide changes: off.
//   - One unparsable reply costs every query on its UDP connection a try (>= 1.32): one query each.
//   - resolv.conf is read by us (nameserver.hpp): versions differ in what they make of it, 1.18.1
//     reads before the start of a line with a NUL byte, and its options (rotate, ndots, search)
//     must not change what we ask.
//   - 1.18.1 gives ECONNREFUSED without bytes for SERVFAIL, REFUSED and NOTIMP too; and for EMFILE,
//     from inside ares_query. Which of the three it was cannot be known there: all are `refused`.
//   - 1.18.1 has one UDP socket for all queries, and an ICMP error comes out of one call only: the
//     next query's send takes it, that query ends, and those before it wait for their timeout.
//     `channel_result::port_closed` tells.
//   - 1.18.1 starts every query at the first server. From 1.29 on c-ares prefers servers that have
//     failed less often and sends every tenth query to a failed one again. We keep the order
//     (server_order.hpp): its probing is off, and its counts begin anew with each channel of ours.
//   - Giving flags takes EDNS away, which is on by default from 1.22: put back there. Older
//     versions keep their default, off.
#ifndef CARES_NO_DEPRECATED
#define CARES_NO_DEPRECATED
#endif
#include "dns/cares_channel.hpp"

#include <ares.h>
#include <arpa/nameser.h>
#include <netinet/in.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <new>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {
namespace {

// From 1.32 on c-ares adapts the timeout of the first try down to 250 ms, doubles it with each try
// and shortens it by chance up to half. The fifth then waits at least 2 s, so that a server that
// needs 1.2 s is still heard. Earlier versions do as they are told: 1 s, 2 s, 4 s.
constexpr bool adapts_timeouts = ARES_VERSION >= 0x012000;
constexpr int needed_tries = adapts_timeouts ? 5 : 3;

class ares_category_type final : public boost::system::error_category {
 public:
  constexpr ares_category_type() noexcept : error_category(0x7265'6469'616c'2e03ULL) {}

  const char* name() const noexcept override { return "c-ares"; }
  std::string message(int value) const override { return ares_strerror(value); }

  bool equivalent(int value, const boost::system::error_condition& asked) const noexcept override {
    if (asked.category() != condition_category()) return error_category::equivalent(value, asked);
    switch (static_cast<condition>(asked.value())) {
      case condition::retryable:
        return value != ARES_ENODATA && value != ARES_ENOTFOUND;
      case condition::not_sent:
        return value != ARES_SUCCESS;
      case condition::local_fault:
        return value == ARES_ENOMEM || value == ARES_EFILE;
      case condition::connection_poisoned:
        return false;
    }
    return false;
  }
};

constexpr ares_category_type the_ares_category;

error_code ares_error(int status) noexcept { return {status, the_ares_category}; }

// For a status that came without bytes, or whose bytes are not to be trusted.
answer_outcome outcome_of(int status) noexcept {
  switch (status) {
    case ARES_ENODATA:
      return answer_outcome::no_data;
    case ARES_ENOTFOUND:
      return answer_outcome::name_not_found;
    case ARES_ETIMEOUT:
      return answer_outcome::timeout;
    case ARES_EREFUSED:
    case ARES_ECONNREFUSED:
      return answer_outcome::refused;
    case ARES_EBADRESP:
    case ARES_EBADNAME:
    case ARES_EBADQUERY:
    case ARES_EBADSTR:
      return answer_outcome::malformed;
    case ARES_ENOMEM:
    case ARES_EFILE:
    case ARES_ENOTINITIALIZED:
      return answer_outcome::local_fault;
    case ARES_ECANCELLED:
    case ARES_EDESTRUCTION:
      return answer_outcome::closed;
    default:
      return answer_outcome::server_failure;
  }
}

// Statuses that c-ares derives from a whole response, which then says more than the status.
bool has_response(int status) noexcept {
  switch (status) {
    case ARES_SUCCESS:
    case ARES_ENODATA:
    case ARES_ENOTFOUND:
    case ARES_EFORMERR:
    case ARES_ESERVFAIL:
    case ARES_ENOTIMP:
    case ARES_EREFUSED:
      return true;
    default:
      return false;
  }
}

bool is_local_fault(int system_error) noexcept {
  return system_error == EMFILE || system_error == ENFILE || system_error == ENOBUFS ||
         system_error == ENOMEM || system_error == EADDRNOTAVAIL;
}

int init_library() noexcept {
  static std::once_flag once;  // its counter is not locked
  static int status = ARES_SUCCESS;
  std::call_once(once, [] { status = ares_library_init(ARES_LIB_INIT_ALL); });
  return status;
}

// c-ares wants the zone last, [fe80::1]:53%eth0, and 1.18.1 wants none at all.
std::string text_of(const nameserver& server) {
  auto text = to_string(server);
  const auto begin = text.find('%');
  if (begin == std::string::npos) return text;
  const auto zone = text.substr(begin, text.find(']') - begin);
  return text.erase(begin, zone.size()) + zone;
}

std::string csv_of(const std::vector<nameserver>& servers) {
  std::string csv;
  for (const auto& s : servers) csv += (csv.empty() ? "" : ",") + text_of(s);
  return csv;
}

// 1.34.5 leaves a server out whose zone it does not find, which may be any, and says nothing.
int set_servers(ares_channel channel, const std::vector<nameserver>& servers) {
  const int status = ares_set_servers_ports_csv(channel, csv_of(servers).c_str());
#if ARES_VERSION >= 0x011800
  if (status != ARES_SUCCESS) return status;
  char* const csv = ares_get_servers_csv(channel);
  const std::string kept{csv != nullptr ? csv : ""};
  ares_free_string(csv);
  const auto count = kept.empty() ? 0 : 1 + std::count(kept.begin(), kept.end(), ',');
  if (static_cast<std::size_t>(count) != servers.size()) return ARES_EBADSTR;
#endif
  return status;
}

int tries_for(int attempts) noexcept {
  if (attempts == 0) return needed_tries;
  return adapts_timeouts ? std::max(attempts, needed_tries) : attempts;
}

int set_options(ares_options& options, const channel_setup& setup) {
  options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
  if (setup.tcp_only) options.flags |= ARES_FLAG_USEVC;
#if ARES_VERSION >= 0x011600
  options.flags |= ARES_FLAG_EDNS;
#endif
  options.timeout = static_cast<int>(std::max<std::int64_t>(
      1, std::chrono::ceil<std::chrono::milliseconds>(setup.try_timeout).count()));
  options.tries = tries_for(setup.attempts);
  options.ndomains = 0;
  static char dns_only[] = "b";
  options.lookups = dns_only;
  int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_DOMAINS |
             ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB | ARES_OPT_NOROTATE;
#ifdef ARES_OPT_RESOLVCONF
  static char no_file[] = "/dev/null";
  options.resolvconf_path = no_file;
  mask |= ARES_OPT_RESOLVCONF;
#endif
#ifdef ARES_OPT_UDP_MAX_QUERIES
  options.udp_max_queries = 1;
  mask |= ARES_OPT_UDP_MAX_QUERIES;
#endif
#ifdef ARES_OPT_QUERY_CACHE
  options.qcache_max_ttl = 0;
  mask |= ARES_OPT_QUERY_CACHE;
#endif
#ifdef ARES_OPT_SERVER_FAILOVER
  options.server_failover_opts.retry_chance = 0;
  mask |= ARES_OPT_SERVER_FAILOVER;
#endif
  return mask;
}

}  // namespace

void channel_results::clear() noexcept {
  constexpr std::size_t much = 65536;  // more than hundreds of usual responses
  each.clear();
  bytes.clear();
  if (bytes.capacity() > much) bytes = {};
}

const boost::system::error_category& ares_category() noexcept { return the_ares_category; }

bool cares_channel::shortens_timeouts() noexcept { return adapts_timeouts; }

std::unique_ptr<cares_channel> cares_channel::create(const channel_setup& setup,
                                                     channel_observer& observer,
                                                     error_code& why) {
  why = ares_error(init_library());
  if (why.value() != ARES_SUCCESS) return nullptr;
  std::unique_ptr<cares_channel> out{new cares_channel(observer)};
  ares_options options{};
  const int mask = set_options(options, setup);
  options.sock_state_cb = &cares_channel::on_socket;
  options.sock_state_cb_data = out.get();
  int status = ares_init_options(&out->channel_, &options, mask);
  if (status == ARES_SUCCESS) {
    status = set_servers(out->channel_, setup.servers);
  } else {
    out->channel_ = nullptr;
  }
  if (status != ARES_SUCCESS) {
    why = ares_error(status);
    return nullptr;
  }
  why = {};
  return out;
}

cares_channel::~cares_channel() {
  closing_ = true;
  if (channel_ != nullptr) ares_destroy(channel_);
}

void cares_channel::query(std::uint64_t id, const question& q) {
  cell* const c = free_ != nullptr ? free_ : &cells_.emplace_back();
  free_ = c->next_free;
  *c = {this, id, nullptr};
  ++outstanding_;
  // c-ares 1.34.7 alone has const bytes: the callback's type is deduced from the function's.
  const ares_callback done = &cares_channel::on_reply;
  asking_ = true;
  errno = 0;
  ares_query(channel_, q.name.c_str(), ns_c_in, static_cast<int>(q.type), done, c);
  asking_ = false;
}

void cares_channel::process(int fd, bool readable, bool writable) {
  errno = 0;
  ares_process_fd(channel_, readable ? fd : ARES_SOCKET_BAD, writable ? fd : ARES_SOCKET_BAD);
}

void cares_channel::process_timeouts() {
  errno = 0;
  ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

std::optional<duration> cares_channel::next_timeout() const {
  timeval left{};
  if (ares_timeout(channel_, nullptr, &left) == nullptr) return std::nullopt;
  // Rounded up: 1.18.1 cuts off the part below a millisecond and would have us come again at once.
  return std::chrono::seconds{left.tv_sec} + std::chrono::microseconds{left.tv_usec} +
         std::chrono::milliseconds{1};
}

void cares_channel::take_finished(channel_results& into) noexcept {
  into.clear();
  std::swap(finished_, into);
}

template <class Byte>
void cares_channel::on_reply(
    void* argument, int status, int timeouts, Byte* bytes, int size) noexcept {
  auto& c = *static_cast<cell*>(argument);
  c.owner->finish(c, status, timeouts, bytes, size);
}

void cares_channel::finish(
    cell& c, int status, int timeouts, const std::uint8_t* bytes, int size) noexcept {
  const int system_error = errno;
  if (!closing_) {
    channel_result r;
    r.id = c.id;
    r.timeouts = timeouts;
    r.error = ares_error(status);
    r.outcome = outcome_of(status);
    r.port_closed = status == ARES_ECONNREFUSED && system_error == ECONNREFUSED;
    if (asking_ && status == ARES_ECONNREFUSED && is_local_fault(system_error)) {
      r.error = error_code(system_error, boost::system::system_category());
      r.outcome = answer_outcome::local_fault;
    } else if (has_response(status) && bytes != nullptr && size > 0) {
      r.outcome = answer_outcome::records;
    }
    try {
      if (r.outcome == answer_outcome::records) {
        r.at = finished_.bytes.size();
        r.size = static_cast<std::size_t>(size);
        finished_.bytes.insert(finished_.bytes.end(), bytes, bytes + size);
      }
      finished_.each.push_back(r);
      ++finished_count_;
    } catch (const std::bad_alloc&) {
      // Nothing may be thrown through c-ares. The query's deadline ends it.
    }
  }
  c.next_free = std::exchange(free_, &c);
  --outstanding_;
}

void cares_channel::on_socket(void* self, int fd, int readable, int writable) noexcept {
  static_cast<cares_channel*>(self)->observer_.watch(fd, readable != 0, writable != 0);
}

}  // namespace redial::inline REDIAL_ABI::detail
