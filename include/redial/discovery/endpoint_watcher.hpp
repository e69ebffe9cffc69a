// SPDX-License-Identifier: Apache-2.0
#pragma once

// The endpoints of a target for those who have connections of their own.

#include <redial/core/abi.hpp>
#include <redial/core/target.hpp>
#include <redial/discovery/discovery.hpp>
#include <redial/watch/delta.hpp>
#include <redial/watch/snapshot.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>

namespace redial::inline REDIAL_ABI {

namespace detail {
class watcher_state;
}

/// Keeps the current list, and tells what is added, removed and changed. No pool, no connections:
/// this is what an existing client plugs into.
///
/// \code
///   endpoint_watcher w(io.get_executor(), names, target("tcp://calc.local:9000"),
///                      [&](const endpoint_delta& d, const snapshot_ptr& now) {
///     for (const auto& e : d.added) balancer.add(e.where);
///     for (const auto& e : d.removed) balancer.remove(e.where);
///   });
/// \endcode
///
/// \par Threads Every member is safe from any thread. The callback runs on the given executor, one
///      at a time, in the order of generations.
/// \par Lifetime Keeps the discovery alive. No callback begins after `close()` or destruction, when
///      these are called on the callback's executor.
class REDIAL_API endpoint_watcher {
 public:
  /// The delta is against the snapshot of the callback before, so that adding and removing ends up
  /// with the list of `now`; it is empty when only freshness or the error changed. The first call
  /// adds everything; for a name without endpoints it says why in `now->error`.
  using change_handler = std::function<void(const endpoint_delta&, const snapshot_ptr& now)>;

  /// \throws std::invalid_argument for a null discovery, an empty executor or handler.
  endpoint_watcher(boost::asio::any_io_executor executor,
                   std::shared_ptr<discovery> names,
                   const target& t,
                   change_handler on_change);
  ~endpoint_watcher();
  /// The other one may only be assigned to or destroyed then.
  endpoint_watcher(endpoint_watcher&&) noexcept = default;
  /// Closes what it has had; the other one may only be assigned to or destroyed then.
  endpoint_watcher& operator=(endpoint_watcher&& other) noexcept;

  /// What the last callback was told; null before the first.
  [[nodiscard]] snapshot_ptr current() const;
  /// What became of a use of `where`: see `subscription::report`. A failed connect or a reset is
  /// evidence against an absent endpoint, and asks for a refresh.
  void report(const endpoint& where, endpoint_outcome outcome, bool last_usable = false) const;
  /// Asks for a refresh now, at most once per `min_forced_refresh_interval`.
  void refresh() const;
  /// Idempotent.
  void close() noexcept;

 private:
  std::shared_ptr<detail::watcher_state> state_;
};

}  // namespace redial::inline REDIAL_ABI
