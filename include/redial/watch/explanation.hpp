// SPDX-License-Identifier: Apache-2.0
#pragma once

// Why a discovery believes what it believes about a name.

#include <redial/core/abi.hpp>
#include <redial/core/answer.hpp>
#include <redial/core/endpoint.hpp>
#include <redial/core/error.hpp>
#include <redial/core/events.hpp>
#include <redial/core/time.hpp>
#include <redial/watch/snapshot.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI {

/// Where an endpoint is known from; in the order of precedence.
enum class endpoint_origin {
  fixed,   ///< The target itself: `static://`, an address, `localhost`.
  source,  ///< An `endpoint_source` of the user's.
  hosts,   ///< The hosts file.
  dns,     ///< A or AAAA records.
  srv,     ///< SRV records and the addresses of their targets.
};

/// Why a name counts as rotating, that is, why an answer may show only some of its endpoints.
enum class rotation_reason {
  none,            ///< It does not: an endpoint missing from an answer has left.
  sample_changed,  ///< An answer of exactly 8 records differed from the one before.
  returned,        ///< An endpoint came back within `rotation_memory` of going missing.
  option,          ///< `watch_options::membership` says what it is.
};

/// The enumerator's name.
[[nodiscard]] REDIAL_API const char* to_string(endpoint_origin o) noexcept;
[[nodiscard]] REDIAL_API const char* to_string(rotation_reason r) noexcept;  ///< In words.

/// One answer, as it is remembered.
struct answer_note {
  answer_note() = default;

  time_point at{};                                   ///< When it came.
  answer_outcome outcome = answer_outcome::timeout;  ///< What kind of answer it was.
  std::uint32_t records = 0;                         ///< Usable ones.
  std::chrono::seconds ttl{0};                       ///< As the answer said, uncapped.
  /// False when it was the same cached copy again: it proves nothing about what it leaves out.
  bool independent = true;
  error_code error;  ///< Clear for records.
};

/// One record set, or one source of the user's: what was asked and what came of it.
struct set_explanation {
  set_explanation() = default;

  std::string what;  ///< `A api.internal`, `SRV _x._tcp.api.internal`, `source cloud-map`.
  endpoint_origin origin = endpoint_origin::dns;  ///< Where it is from.
  freshness state = freshness::unresolved;        ///< What it is worth now.
  time_point fresh_until{};  ///< When the last good answer's effective TTL ends.
  /// `time_point::max()` while a question is in flight, and while nobody is subscribed.
  time_point next_refresh = time_point::max();
  bool in_flight = false;      ///< A question is under way.
  std::uint32_t failures = 0;  ///< In a row, up to now.
  error_code last_error;       ///< Clear when the last answer was good.
  bool rotating = false;       ///< An answer may show only some of its endpoints.
  rotation_reason why_rotating = rotation_reason::none;  ///< Why.
  std::uint64_t answers = 0;              ///< Definite ones, since the name is watched.
  std::vector<answer_note> last_answers;  ///< The last four, oldest first.
};

/// One endpoint and the reasons for its presence.
struct endpoint_explanation {
  endpoint_explanation() = default;

  endpoint where;                                         ///< Which one.
  endpoint_origin origin = endpoint_origin::dns;          ///< Where it is known from.
  redial::presence presence = redial::presence::present;  ///< Whether it is still behind the name.
  bool doubted = false;       ///< Missing for so long that new connections must prove who answers.
  time_point first_seen{};    ///< In this life of it.
  time_point last_seen{};     ///< The last answer that showed it.
  std::uint64_t seen_in = 0;  ///< Answers that showed it during this life.
  std::uint32_t missed = 0;   ///< Independent answers without it since the last one with it.
  std::uint32_t misses_needed = 0;         ///< That many let it depart; 0 while it is present.
  std::string why;                         ///< In words: why it counts as present or absent.
  std::string next;                        ///< In words: what would change that; with `next_at`.
  time_point next_at = time_point::max();  ///< The earliest instant of `next`, when time decides.
};

/// Everything about one target, at one instant.
struct explanation {
  explanation() = default;

  std::string target;                           ///< Its canonical text.
  time_point now{};                             ///< When this was true, by the discovery's clock.
  freshness state = freshness::unresolved;      ///< What the endpoints are worth.
  error_code error;                             ///< As in `snapshot::error`.
  std::uint64_t generation = 0;                 ///< Of the last publication.
  std::uint64_t subscribers = 0;                ///< How many follow the target now.
  std::vector<set_explanation> sets;            ///< What the endpoints are made of.
  std::vector<endpoint_explanation> endpoints;  ///< All that count, and why.
};

/// Several lines of text; instants as seconds from `now`.
[[nodiscard]] REDIAL_API std::string to_string(const explanation& e);

}  // namespace redial::inline REDIAL_ABI
