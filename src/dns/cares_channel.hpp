// SPDX-License-Identifier: Apache-2.0
#pragma once

// A c-ares channel behind a C++ face: the only place that knows <ares.h>. No Asio, no policy.

#include <redial/core/answer.hpp>
#include <redial/core/time.hpp>

#include "dns/nameserver.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

struct ares_channeldata;

namespace redial::inline REDIAL_ABI::detail {

/// Codes of c-ares (`ARES_E...`), as they are.
[[nodiscard]] const boost::system::error_category& ares_category() noexcept;

/// What a channel is made with.
struct channel_setup {
  std::vector<nameserver> servers;
  duration try_timeout = std::chrono::seconds{1};
  int attempts = 0;       ///< Rounds over the servers; 0: as this c-ares needs.
  bool tcp_only = false;  ///< No UDP.
};

/// What a query ended with.
struct channel_result {
  std::uint64_t id = 0;  ///< As given to `query`.
  int timeouts = 0;      ///< Tries that nobody answered in time.
  error_code error;      ///< Clear, of c-ares, or of the system when this machine could not ask.
  /// What the error alone says. `records` when the bytes decide.
  answer_outcome outcome = answer_outcome::records;
  /// Nobody listens at a server's port. False when that is not known for sure.
  bool port_closed = false;
  std::size_t at = 0;    ///< Its response among the bytes of all,
  std::size_t size = 0;  ///< 0: none.
};

/// What many queries ended with, in as little memory as if it were one.
struct channel_results {
  std::vector<channel_result> each;
  std::vector<std::uint8_t> bytes;  // of all responses

  [[nodiscard]] std::span<const std::uint8_t> response(const channel_result& r) const noexcept {
    return std::span{bytes}.subspan(r.at, r.size);
  }
  /// Keeps the memory for the next ones, unless it is much.
  void clear() noexcept;
};

/// Told by a channel which descriptors it wants watched. Must not use the channel.
class channel_observer {
 public:
  /// Both false: the channel closes `fd` as soon as this returns.
  virtual void watch(int fd, bool readable, bool writable) noexcept = 0;

 protected:
  ~channel_observer() = default;
};

/// One set of servers, sockets and queries. It reads no file and no socket by itself.
///
/// c-ares may call back from inside nearly all of its functions, and may not be called from there.
/// So a callback only stores what it got; `take_finished` hands it out afterwards.
///
/// \par Threads One at a time, and no lock held.
/// \par Lifetime The observer outlives it and is told to let go of every descriptor at the end.
class cares_channel {
 public:
  /// Null when this c-ares cannot use the servers (`why` says so) or has no memory.
  [[nodiscard]] static std::unique_ptr<cares_channel> create(const channel_setup& setup,
                                                             channel_observer& observer,
                                                             error_code& why);
  ~cares_channel();
  cares_channel(const cares_channel&) = delete;
  cares_channel& operator=(const cares_channel&) = delete;

  void query(std::uint64_t id, const question& q);
  void process(int fd, bool readable, bool writable);
  void process_timeouts();

  /// True when this c-ares may time a try out sooner than it was told to.
  [[nodiscard]] static bool shortens_timeouts() noexcept;
  /// Time until `process_timeouts` has something to do. Nothing when nothing will.
  [[nodiscard]] std::optional<duration> next_timeout() const;
  /// Puts what has finished into `into`, which is emptied first and whose memory is used next: with
  /// thousands of questions a new vector for each turn would show.
  void take_finished(channel_results& into) noexcept;
  /// How many have finished so far, taken or not.
  [[nodiscard]] std::uint64_t finished() const noexcept { return finished_count_; }
  /// Queries that c-ares has not called back yet.
  [[nodiscard]] std::size_t outstanding() const noexcept { return outstanding_; }

 private:
  // What a callback gets as its argument. Stays where it is until called back, or until the channel
  // is destroyed: c-ares has been seen to lose queries, and to find them again.
  struct cell {
    cares_channel* owner = nullptr;
    std::uint64_t id = 0;
    cell* next_free = nullptr;
  };

  explicit cares_channel(channel_observer& observer) : observer_(observer) {}
  void finish(cell& c, int status, int timeouts, const std::uint8_t* bytes, int size) noexcept;
  static void on_socket(void* self, int fd, int readable, int writable) noexcept;
  template <class Byte>
  static void on_reply(void* argument, int status, int timeouts, Byte* bytes, int size) noexcept;

  channel_observer& observer_;
  ares_channeldata* channel_ = nullptr;
  std::deque<cell> cells_;  // used again and again: one a question, with many it shows
  cell* free_ = nullptr;
  std::size_t outstanding_ = 0;
  channel_results finished_;
  std::uint64_t finished_count_ = 0;
  bool asking_ = false;   // inside ares_query
  bool closing_ = false;  // inside ares_destroy
};

}  // namespace redial::inline REDIAL_ABI::detail
