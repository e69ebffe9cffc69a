// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a pool needs of whoever knows the endpoints of one target.

#include <redial/core/abi.hpp>
#include <redial/watch/snapshot.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <string>

namespace redial::inline REDIAL_ABI {

/// Delivers snapshots of one target and takes back what became of its endpoints.
///
/// \par Threads Every member is safe from any thread.
class REDIAL_API endpoint_feed {
 public:
  /// Takes a snapshot; never null.
  using handler = std::function<void(snapshot_ptr)>;

  virtual ~endpoint_feed() = default;

  /// The target's canonical text, for events and errors.
  [[nodiscard]] virtual const std::string& name() const noexcept = 0;
  /// Posts the current snapshot, if any, and all later ones to `executor`, oldest first. Called
  /// once.
  virtual void start(boost::asio::any_io_executor executor, handler on_snapshot) = 0;
  /// No callback begins after this when called on the callback's executor. Idempotent.
  virtual void stop() noexcept = 0;
  /// Evidence from use. `last_usable`: no other endpoint could serve, so this one must not depart.
  virtual void report(const endpoint& where, endpoint_outcome outcome, bool last_usable) = 0;
  /// Asks for a refresh, at most once per `min_forced_refresh_interval`.
  virtual void refresh() = 0;
};

}  // namespace redial::inline REDIAL_ABI
