// SPDX-License-Identifier: Apache-2.0
#pragma once

// Keeps names resolved, for any number of clients on any number of executors.

#include <redial/core/abi.hpp>
#include <redial/core/access.hpp>
#include <redial/core/address_range.hpp>
#include <redial/core/counters.hpp>
#include <redial/core/events.hpp>
#include <redial/core/histogram.hpp>
#include <redial/core/measurements.hpp>
#include <redial/core/target.hpp>
#include <redial/discovery/endpoint_source.hpp>
#include <redial/discovery/nameserver_zone.hpp>
#include <redial/ports/completion.hpp>
#include <redial/ports/dns_source.hpp>
#include <redial/ports/scheduler.hpp>
#include <redial/watch/explanation.hpp>
#include <redial/watch/options.hpp>
#include <redial/watch/snapshot.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI {

namespace detail {
class discovery_state;
class subscription_state;
}  // namespace detail

/// How names are resolved. Validated at construction.
struct discovery_options {
  discovery_options() = default;

  watch_options watch;  ///< The rules for each name.
  /// Name servers as `address:port` or `[address]:port`. The first one that answers is asked for as
  /// long as it does; they are taken to know the same. Empty: those of `resolv_conf`; when it names
  /// none, questions fail with `errc::no_dns_servers`. With c-ares 1.18.1 a server's SERVFAIL and
  /// NOTIMP look like REFUSED and like a port where nobody listens: `answer_outcome::refused`.
  std::vector<std::string> nameservers;
  /// Followed while it is used: a change counts about a second after it, when two reads saw the
  /// same. Its `nameserver` lines and the options `timeout`, `attempts`, `rotate` and `use-vc`
  /// matter; a file that is missing or names no server changes nothing. Not read when `nameservers`
  /// are given. The environment (LOCALDOMAIN, HOSTALIASES, RES_OPTIONS) never matters, except that
  /// newer c-ares obeys `use-vc` in RES_OPTIONS.
  std::string resolv_conf = "/etc/resolv.conf";
  /// Servers for some names only. The longest suffix wins, and nobody else is asked for its names,
  /// whatever it answers. Each zone has limits (the three below) of its own.
  std::vector<nameserver_zone> zones;
  /// Search domains. Empty: names are absolute. Else a name of one label (`api`) is asked for as
  /// `api.<domain>`, domain by domain, then as it is: the first that has records answers, and a
  /// failure (a timeout, SERVFAIL) ends the search. TLS still verifies the name as written.
  std::vector<std::string> search;
  /// Our own deadline for one question, over all tries and servers, from its turn on. 10 ms to
  /// 1 min. This, the limits below and everything about name servers are for c-ares: a source of
  /// your own keeps its own.
  duration query_timeout = std::chrono::seconds{5};
  /// Questions in flight at once; others queue. 1 to 1024.
  std::size_t max_queries_in_flight = 64;
  /// Questions asked in any second (and a fiftieth more at once); others queue. Repetitions for
  /// want of an answer are not counted. 1 to 1 000 000; 0: no limit.
  std::size_t max_queries_per_second = 5000;
  /// Asked before the hosts file and DNS, in this order, about the targets that they serve (see
  /// `endpoint_source` for the precedence). None may be null.
  std::vector<std::shared_ptr<endpoint_source>> sources;
  /// The hosts file: a name in it is not looked up in DNS, in either family (as glibc's
  /// `hosts: files dns`). Looked at every second while somebody is subscribed; an addition counts
  /// at once, a removal after 5 s, and a missing, empty or garbled file removes nothing. Unset:
  /// /etc/hosts with c-ares, none with a source of your own. Empty: none.
  std::optional<std::string> hosts_path;
  /// May be null.
  std::shared_ptr<event_listener> listener;

  /// Ranges (`10.0.0.0/8`, `fc00::/7`, or one address) that no answer of DNS may lead into, for
  /// names that others control: without it whoever runs a name's zone can point it at this
  /// machine's own services, or at a metadata service (DNS rebinding). Compared after unmapping
  /// `::ffff:a.b.c.d`. Such records are left out and counted in `dns_counters::dropped_records`;
  /// an answer of nothing else is `no_data`. The hosts that an SRV answer names are judged wherever
  /// their addresses are from, also `localhost` and those in the hosts file. Else the hosts file,
  /// `sources` and addresses in a target are yours, and not judged. See
  /// `internal_address_ranges()`. Empty, the default: none.
  std::vector<std::string> denied_addresses;
};

/// Receives snapshots until it is destroyed or `cancel()` is called.
class REDIAL_API subscription {
 public:
  subscription() = default;
  /// The other one is empty then.
  subscription(subscription&&) noexcept = default;
  /// Cancels what it has had; the other one is empty then.
  subscription& operator=(subscription&& other) noexcept;
  ~subscription();

  /// No callback begins after this, if called on the callback's executor. Idempotent.
  void cancel() noexcept;

  /// Tells the discovery what became of a use of `where`: evidence about presence, and a request to
  /// refresh for the outcomes that ask for one. Any thread.
  void report(const endpoint& where, endpoint_outcome outcome, bool last_usable = false) const;
  /// Asks for a refresh now, at most once per `min_forced_refresh_interval`. Any thread.
  void refresh() const;

 private:
  friend struct detail::access;
  explicit subscription(std::shared_ptr<detail::subscription_state> state) noexcept;

  std::shared_ptr<detail::subscription_state> state_;
};

/// One resolver with one belief about each name.
///
/// After the first resolution of a name nobody waits for DNS: refreshes happen in the background
/// while somebody is subscribed.
///
/// \par Threads Safe from any thread. Works on a strand of its own over the given executor.
/// \par Lifetime Shared. Closing or destroying it stops all queries; subscribers keep the last
///      snapshot. While open and subscribed to, its timers keep `io_context::run()` from returning.
///      Not to be touched in a forked child, which debug builds check (docs/lifetime.md).
class REDIAL_API discovery {
 public:
  /// With c-ares and the executor's own clock.
  /// \throws std::invalid_argument for an illegal option or an empty executor.
  [[nodiscard]] static std::shared_ptr<discovery> create(boost::asio::any_io_executor executor,
                                                         const discovery_options& options = {});

  /// With another source of answers and another clock: for tests and simulations. `source` is used
  /// on `executor`, which must run one handler at a time.
  /// \throws std::invalid_argument for an illegal option, an empty executor, a null source or time.
  [[nodiscard]] static std::shared_ptr<discovery> create(boost::asio::any_io_executor executor,
                                                         const discovery_options& options,
                                                         std::unique_ptr<dns_source> source,
                                                         std::shared_ptr<scheduler> time);

  ~discovery();
  discovery(const discovery&) = delete;
  discovery& operator=(const discovery&) = delete;

  /// Is told what is believed; never null.
  using snapshot_handler = std::function<void(snapshot_ptr)>;

  /// Posts the current snapshot (if there is one) and every later one to `executor`, in order of
  /// generation. A target without DNS (literal, `static://`, `localhost`) gets one fresh snapshot.
  /// \throws std::invalid_argument for an empty executor or handler.
  [[nodiscard]] subscription subscribe(const target& t,
                                       boost::asio::any_io_executor executor,
                                       snapshot_handler on_snapshot);

  /// Completes all questions, stops all timers. Subscribers without a snapshot get one with
  /// `errc::closed`. Idempotent.
  void close();

  /// Since construction, over all names.
  [[nodiscard]] dns_counters counters() const;
  /// How long questions took, over all names.
  [[nodiscard]] dns_histograms histograms() const;
  /// Reads both; for `metrics`.
  [[nodiscard]] redial::meter meter() const;
  /// The clock and timers that it works by.
  [[nodiscard]] std::shared_ptr<scheduler> time() const;

  /// Why `t` has the endpoints it has. Without sets and endpoints when nobody has been subscribed
  /// to it for a while, or the discovery is closed or gone. `to_string` makes text of it.
  ///
  /// \par Completes with `void(explanation)`; never inline, on the handler's executor.
  /// \par Cancel Not possible: it takes one turn of the discovery's executor.
  template <class Token>
  auto async_explain(const target& t, Token&& token) {
    return boost::asio::async_initiate<Token, void(explanation)>(
        [](auto handler,
           const std::shared_ptr<detail::discovery_state>& state,
           const target& asked) {
          start_explain(
              state,
              asked,
              detail::completion<void(explanation)>(std::move(handler), executor_of(state)));
        },
        token,
        state_,
        t);
  }

 private:
  static void start_explain(const std::shared_ptr<detail::discovery_state>& state,
                            const target& t,
                            detail::completion<void(explanation)> done);
  [[nodiscard]] static boost::asio::any_io_executor executor_of(
      const std::shared_ptr<detail::discovery_state>& state);
  explicit discovery(std::shared_ptr<detail::discovery_state> state) noexcept;
  std::shared_ptr<detail::discovery_state> state_;
};

}  // namespace redial::inline REDIAL_ABI
