// SPDX-License-Identifier: Apache-2.0
#pragma once

// Answers on the way to their handlers, many in one posted call.

#include <redial/ports/dns_source.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// Filled until it runs, once. A handler that throws costs the others nothing: they are called by
/// a post, and the exception goes on.
///
/// \par Threads One strand, on which `run` is called.
class answer_batch {
 public:
  void add(dns_source::handler&& done, answer&& a);
  /// From then on it takes no more.
  [[nodiscard]] bool is_open() const noexcept { return !started_; }

  /// After `run` has returned, for a batch that nobody else holds: empty and open again, with its
  /// memory. The names that were asked for go to `names`, whose memory is of use as well, while
  /// there is room.
  void reopen(std::vector<std::string>& names) noexcept;

  /// Calls the handlers, unless that was done before.
  static void run(const std::shared_ptr<answer_batch>& batch,
                  const boost::asio::any_io_executor& strand);
  static void post(const std::shared_ptr<answer_batch>& batch,
                   const boost::asio::any_io_executor& strand);

 private:
  struct entry {
    dns_source::handler done;
    answer result;
  };
  static void run_rest(const std::shared_ptr<answer_batch>& batch,
                       const boost::asio::any_io_executor& strand);

  std::vector<entry> entries_;
  std::size_t next_ = 0;
  bool started_ = false;
};

}  // namespace redial::inline REDIAL_ABI::detail
