// SPDX-License-Identifier: Apache-2.0

// Sources: RFC 8305 section 4 (the families take turns, IPv6 first).
//
// One subscription per host, whatever the service: ports are put in at the end. Completions go out
// by post, so they may be started under the lock.

#include <redial/discovery/resolver.hpp>
#include <redial/ports/scheduler.hpp>

#include "core/option_range.hpp"
#include "dns/context_end.hpp"
#include "watch/random_source.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <map>
#include <mutex>
#include <random>
#include <stdexcept>
#include <vector>

namespace redial::inline REDIAL_ABI {

namespace detail {

namespace asio = boost::asio;

namespace {

using results_type = resolver::results_type;
using completion_type = completion<void(error_code, results_type)>;

boost::system::result<std::uint16_t> port_of(std::string_view service) {
  if (service.empty()) return std::uint16_t{0};
  if (service == "http") return std::uint16_t{80};
  if (service == "https") return std::uint16_t{443};
  std::uint16_t port = 0;
  const char* const end = service.data() + service.size();
  const auto [stopped, failure] = std::from_chars(service.data(), end, port);
  if (failure != std::errc{} || stopped != end) return make_error_code(errc::bad_port);
  return port;
}

// Any port does: it is not asked about.
boost::system::result<target> target_of(const std::string& host) {
  const bool bare_v6 = host.find(':') != std::string::npos && !host.starts_with('[');
  return target::parse("tcp://" + (bare_v6 ? "[" + host + "]" : host) + ":1");
}

// The trusted ones, then the doubted; within each the families take turns.
std::vector<address> in_order(const snapshot& s, random_source& random) {
  std::vector<address> all;
  for (const bool doubted : {false, true}) {
    std::vector<address> v4;
    std::vector<address> v6;
    for (const snapshot_entry& e : s.endpoints) {
      if (e.doubted == doubted) (e.where.addr.is_v4() ? v4 : v6).push_back(e.where.addr);
    }
    for (auto* family : {&v4, &v6}) {
      for (std::size_t i = family->size(); i > 1; --i) {
        std::swap((*family)[i - 1], (*family)[static_cast<std::size_t>(random.next() % i)]);
      }
    }
    for (std::size_t i = 0; i < std::max(v4.size(), v6.size()); ++i) {
      if (i < v6.size()) all.push_back(v6[i]);
      if (i < v4.size()) all.push_back(v4[i]);
    }
  }
  return all;
}

}  // namespace

class resolver_state final : public ends_with_context,
                             public std::enable_shared_from_this<resolver_state> {
 public:
  resolver_state(asio::any_io_executor executor, std::shared_ptr<discovery> names, duration keep)
      : names_(std::move(names)),
        time_(names_->time()),
        keep_(keep),
        executor_(std::move(executor)),
        random_(std::random_device{}()) {}
  ~resolver_state() { time_->disarm(timer_); }
  resolver_state(const resolver_state&) = delete;
  resolver_state& operator=(const resolver_state&) = delete;

  /// To be called once, as soon as somebody owns it.
  void init() {
    timer_.owned_by(weak_from_this());
    on_context_end(executor_, weak_from_this());
  }
  [[nodiscard]] asio::any_io_executor executor() {
    const std::lock_guard lock(mutex_);
    return executor_;
  }

  void start(std::string host, std::string service, completion_type done) {
    const auto port = port_of(service);
    const auto where = target_of(host);
    const asio::any_io_executor executor = this->executor();
    if (!executor) return;  // its context is gone, and nothing completes any more
    if (!port || !where) {
      std::move(done).post(executor, port ? where.error() : port.error(), results_type{});
      return;
    }
    waiting w{std::move(host), std::move(service), *port, std::move(done)};
    const std::lock_guard lock(mutex_);
    if (ended_) return std::move(w.done).post(executor, errc::closed, results_type{});
    entry& found = entries_[where->text()];
    found.asked_at = time_->now();
    if (!found.watched) watch(found, *where);
    const bool known = found.current != nullptr;
    if (known && found.current->endpoints.empty()) found.watch.refresh();
    found.waiters.push_back(std::move(w));
    if (known) answer(found);
  }

  void cancel() {
    const std::lock_guard lock(mutex_);
    for (auto& [key, e] : entries_) fail(e, asio::error::operation_aborted);
    arm();
  }

  void close() {
    std::map<std::string, entry> gone;
    const std::lock_guard lock(mutex_);
    drop_all(gone);
  }

  /// The resolver is gone: what starts from now on completes with `errc::closed`.
  void end() {
    std::map<std::string, entry> gone;
    const std::lock_guard lock(mutex_);
    ended_ = true;
    drop_all(gone);
  }

 private:
  struct waiting {
    std::string host;
    std::string service;
    std::uint16_t port;
    completion_type done;
  };
  struct entry {
    bool watched = false;
    subscription watch;
    snapshot_ptr current;
    time_point asked_at{};
    std::vector<waiting> waiters;
  };

  // With the lock held; what it leaves in `gone` goes without it.
  void drop_all(std::map<std::string, entry>& gone) {
    // Under one lock: whoever asks in between is not forgotten.
    for (auto& [key, e] : entries_) fail(e, asio::error::operation_aborted);
    gone.swap(entries_);
    time_->disarm(timer_);
  }

  // With the lock held. Throws, as all that follows it in `start`, before anything waits.
  void watch(entry& e, const target& where) {
    try {
      e.watch = names_->subscribe(
          where, executor_, [weak = weak_from_this(), key = where.text()](snapshot_ptr s) {
            if (const auto self = weak.lock()) self->arrived(key, std::move(s));
          });
    } catch (...) {
      entries_.erase(where.text());
      throw;
    }
    e.watched = true;
  }

  void arrived(const std::string& key, snapshot_ptr s) {
    subscription ended;
    const std::lock_guard lock(mutex_);
    const auto at = entries_.find(key);
    if (at == entries_.end()) return;
    at->second.current = std::move(s);
    answer(at->second);
    if (keep_ == duration::zero() && at->second.waiters.empty()) {
      ended = std::move(at->second.watch);
      entries_.erase(at);
    } else {
      arm();
    }
  }

  // Handlers are destroyed without a call, as the context does with its own.
  void context_gone() noexcept override {
    std::map<std::string, entry> gone;
    asio::any_io_executor executor;
    const std::lock_guard lock(mutex_);
    gone.swap(entries_);
    executor.swap(executor_);
    time_->disarm(timer_);
  }

  // With the lock held.
  void answer(entry& e) {
    const snapshot& s = *e.current;
    if (s.endpoints.empty()) {
      if (s.error) fail(e, s.error);
      return;
    }
    for (waiting& w : std::exchange(e.waiters, {})) {
      std::vector<resolver::endpoint_type> endpoints;
      for (const address& a : in_order(s, random_)) endpoints.emplace_back(a, w.port);
      auto results = results_type::create(endpoints.begin(), endpoints.end(), w.host, w.service);
      std::move(w.done).post(executor_, error_code{}, std::move(results));
    }
  }

  void fail(entry& e, const error_code& why) {
    for (waiting& w : std::exchange(e.waiters, {})) {
      std::move(w.done).post(executor_, why, results_type{});
    }
  }

  void arm() {
    time_point next = time_point::max();
    for (const auto& [key, e] : entries_) {
      // One that is waited for stays, however old; `arrived` looks again.
      if (e.waiters.empty()) next = std::min(next, after(e.asked_at, keep_));
    }
    if (next != time_point::max()) time_->arm(timer_, next);
  }

  // On a thread of the scheduler.
  void on_timer() {
    std::vector<subscription> ended;
    const std::lock_guard lock(mutex_);
    const time_point now = time_->now();
    for (auto at = entries_.begin(); at != entries_.end();) {
      const bool old = at->second.waiters.empty() && now >= after(at->second.asked_at, keep_);
      if (old) ended.push_back(std::move(at->second.watch));
      at = old ? entries_.erase(at) : std::next(at);
    }
    if (!entries_.empty()) arm();
  }

  const std::shared_ptr<discovery> names_;
  const std::shared_ptr<scheduler> time_;
  const duration keep_;
  std::mutex mutex_;
  asio::any_io_executor executor_;  // empty once its context is gone
  bool ended_ = false;
  random_source random_;
  std::map<std::string, entry> entries_;  // by the target that is subscribed to
  member_timer<resolver_state, &resolver_state::on_timer> timer_{*this};
};

}  // namespace detail

resolver::resolver(executor_type executor,
                   std::shared_ptr<discovery> names,
                   duration keep_watching) {
  using namespace std::chrono_literals;
  if (!executor) throw std::invalid_argument("resolver: executor is empty");
  if (!names) throw std::invalid_argument("resolver: names is null");
  detail::check_time("resolver", "keep_watching", keep_watching, {0s}, {24h});
  state_ = std::make_shared<detail::resolver_state>(
      std::move(executor), std::move(names), keep_watching);
  state_->init();
}

resolver::~resolver() { state_->end(); }

resolver::executor_type resolver::get_executor() const { return state_->executor(); }

resolver::executor_type resolver::executor_of(
    const std::shared_ptr<detail::resolver_state>& state) {
  return state->executor();
}

void resolver::cancel() { state_->cancel(); }

void resolver::close() { state_->close(); }

void resolver::start(const std::shared_ptr<detail::resolver_state>& state,
                     std::string host,
                     std::string service,
                     detail::completion<void(error_code, results_type)> done) {
  state->start(std::move(host), std::move(service), std::move(done));
}

}  // namespace redial::inline REDIAL_ABI
