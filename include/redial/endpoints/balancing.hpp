// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which endpoint serves next: the policies to choose from, and the seam for one's own.

#include <redial/core/abi.hpp>
#include <redial/core/endpoint.hpp>
#include <redial/endpoints/endpoint_key.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace redial::inline REDIAL_ABI {

/// All of them choose among the endpoints that may be leased now, of the best tier (SRV priority)
/// that can serve; all of them respect SRV weights where these differ. A retry goes to an endpoint
/// that the call has not tried.
enum class balancing {
  /// Of two random endpoints the one with an idle connection, then with fewer leases. Costs the
  /// same for three endpoints and for a thousand.
  least_loaded,
  /// In turn. With equal weights and an idle connection at every turn, the leases of any two
  /// endpoints differ by one at most. An endpoint without an idle connection loses its turn and is
  /// connected to for the next one. Each pool begins elsewhere. Looks at a number per endpoint:
  /// a tenth of a microsecond for a hundred, one or two for a thousand.
  round_robin,
  /// By `checkout_options::key`: the same endpoint for the same key, and when endpoints come or go
  /// only their share of the keys moves (rendezvous hashing). A call waits for a connection to its
  /// key's endpoint, which is opened for it; while that endpoint is down, slow to answer or at
  /// `max_connections`, the key's next one takes its place. Calls without a key: as `least_loaded`.
  /// Computes a number per endpoint: a quarter of a microsecond for a hundred, two for a thousand;
  /// five times that where weights differ.
  consistent_hash,
};

/// One endpoint that could serve. A view, valid during `endpoint_chooser::choose`.
struct candidate {
  candidate() = default;

  const endpoint* where = nullptr;  ///< Never null.
  /// Number of this life of the endpoint within its pool: `lease::endpoint_id()`.
  std::uint64_t id = 0;
  std::uint32_t leases = 0;   ///< Connections in use.
  std::uint32_t idle = 0;     ///< Connections that can be lent at once.
  std::uint32_t opening = 0;  ///< Connections being opened.
  std::uint16_t weight = 0;   ///< As DNS has it now (RFC 2782).
};

/// What a policy is asked. A view, valid during `endpoint_chooser::choose`.
struct choice_request {
  choice_request() = default;

  /// Not empty; those of the serving tier that this call has not tried, are not failing, and have a
  /// connection idle or opening or room for another one. In no order that means anything, or lasts.
  std::span<const candidate> among;
  endpoint_key key;          ///< Of the call, or none.
  std::uint64_t random = 0;  ///< Uniform, and different for every call.
};

/// A policy of one's own.
///
/// \par Threads Called by any thread, one at a time per pool, under the pool's lock: so it must be
///      quick and must not call anything of redial. One that several pools share guards itself.
/// \par Cost To list the candidates: half a microsecond for a hundred, six for a thousand. Nothing
///      is allocated.
class REDIAL_API endpoint_chooser {
 public:
  /// Says that the default policy decides.
  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

  virtual ~endpoint_chooser() = default;

  /// Index in `request.among` of the endpoint that a call goes to; `none`: the default policy
  /// decides. When the chosen one has no idle connection the call waits for one there, unless
  /// `try_checkout` was called; should that endpoint fail or fill up meanwhile, this is asked
  /// again. It may also be asked more than once for one call before there is anything to lend, so a
  /// choice need not become a lease.
  ///
  /// Any other index out of range breaks the contract: it asserts, and counts as `none`.
  [[nodiscard]] virtual std::size_t choose(const choice_request& request) noexcept = 0;
};

}  // namespace redial::inline REDIAL_ABI
