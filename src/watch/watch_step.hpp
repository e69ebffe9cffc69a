// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the driver of a watch has to do after it told it something.

#include <redial/core/answer.hpp>
#include <redial/core/endpoint.hpp>
#include <redial/core/time.hpp>
#include <redial/watch/snapshot.hpp>

#include "watch/publisher.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// Evidence about an address of an SRV target, for whoever watches that target.
struct target_report {
  std::string target;
  endpoint where;
  endpoint_outcome outcome{};
  bool last_usable = false;
};

/// At most one question of each type, without memory of its own: there is one for each wake-up.
class question_list {
 public:
  using value_type = record_type;
  using const_iterator = const record_type*;
  using iterator = const_iterator;
  using size_type = std::size_t;

  void push_back(record_type t) noexcept { types_[size_++] = t; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] record_type operator[](std::size_t i) const noexcept { return types_[i]; }
  [[nodiscard]] const record_type* begin() const noexcept { return types_.data(); }
  [[nodiscard]] const record_type* end() const noexcept { return types_.data() + size_; }

 private:
  std::array<record_type, 3> types_{};
  std::size_t size_ = 0;
};

struct watch_step {
  question_list ask;   ///< Now; they count as in flight from here on.
  bool fetch = false;  ///< The same for a source of the user's.
  std::optional<publication> publish;
  std::vector<std::string> follow;    ///< SRV targets to watch from now on,
  std::vector<std::string> unfollow;  ///< and those not to watch any more.
  std::vector<target_report> reports;
  std::uint32_t left_out = 0;           ///< Records over a limit.
  bool forced = false;                  ///< Somebody asked for a refresh.
  bool deferred = false;                ///< The forced refresh waits for the end of its interval.
  bool joined = false;                  ///< It found a question in flight.
  time_point wake = time_point::max();  ///< Call `on_time` then; later than now.
};

}  // namespace redial::inline REDIAL_ABI::detail
