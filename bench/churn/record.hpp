// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a run leaves behind, as plain values. Every time is an offset from the start of the run.

#include <redial/core/time.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace redial::churn {

/// One request as its client saw it.
struct request_record {
  std::uint64_t id = 0;
  duration planned{};
  duration sent{};  ///< When it was given to the client.
  duration done{};
  bool ok = false;             ///< 200 before the deadline.
  std::uint32_t attempts = 0;  ///< Zero: the client does not say.
  int backend = -1;            ///< Who answered, an index into `run_record::backends`; -1: nobody.
  std::string error;           ///< Why it failed.
};

/// One request as a backend logged it when it arrived.
struct serving {
  std::uint64_t id = 0;
  duration at{};
};

/// From `from` on, before `to`. An open end is `duration::max()`.
struct span {
  duration from{};
  duration to = duration::max();
};

struct backend_record {
  std::string name;          ///< One letter.
  std::string address;       ///< `127.0.0.2:4711`
  std::vector<span> in_dns;  ///< While the name had this address.
  std::vector<span> alive;   ///< While its process ran.
};

struct event_record {
  duration at{};
  std::string text;   ///< A clause: `A and B are killed`.
  std::string label;  ///< The same for a crowded picture: `A, B killed`.
};

/// In the place of a count that nobody has made.
inline constexpr std::uint64_t not_counted = ~std::uint64_t{0};

struct contestant_record {
  std::string id;     ///< One word, part of the requests' paths.
  std::string title;  ///< For people.
  /// Why it did not take part; empty when it did. Everything below is empty then.
  std::string absent;
  std::vector<request_record> requests;
  std::vector<std::vector<serving>> servings;  ///< By backend, in the order of arrival.
  /// Opened: as the client counts them, or those on which backends heard a request where these are
  /// more (not every client can count).
  std::uint64_t connections = 0;
  std::uint64_t dns_queries = 0;  ///< As the name server counted them, or `not_counted`.
};

struct run_settings {
  std::string scenario;
  std::string title;  ///< One line: what happened.
  duration length{};
  std::uint32_t rate = 0;  ///< Requests per second and client.
  duration deadline{};     ///< From the planned send time.
  std::uint32_t in_flight_limit = 0;
  duration ttl{};      ///< Of the records.
  duration ttl_cap{};  ///< Highest TTL that redial honours in this run.
  /// Longest time that redial may go on using an address that left DNS.
  duration allowed_stale{};
  /// Answers hold all addresses, so that none may be used for longer than `allowed_stale` after it
  /// left DNS. False: they hold a random sample.
  bool complete_answers = true;
  bool dns_faults = false;  ///< The name server fails at some time.
  /// Least time between two questions for one name and family that the TTL asks for.
  duration effective_ttl{};
  std::size_t names = 1;  ///< That a client has to ask for (SRV: the owner and every target).
  std::uint64_t seed = 0;
  /// Machine, versions, command: name and value, for people.
  std::vector<std::pair<std::string, std::string>> facts;
};

struct run_record {
  run_settings settings;
  std::vector<backend_record> backends;
  std::vector<event_record> events;
  std::vector<span> dns_silent;  ///< While the name server failed, whichever way.
  std::vector<span> sudden;      ///< Around unplanned deaths: latency there is another matter.
  std::vector<contestant_record> contestants;
};

/// Runs of several scenarios by one command.
struct suite_record {
  std::string command;
  std::vector<run_record> runs;
};

/// Seconds, for people and for drawing.
[[nodiscard]] constexpr double seconds(duration d) noexcept {
  return std::chrono::duration<double>(d).count();
}

}  // namespace redial::churn
