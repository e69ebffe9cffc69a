// SPDX-License-Identifier: Apache-2.0
#pragma once

// Search domains, for those who want them.

#include <redial/ports/dns_source.hpp>

#include <memory>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// Asks for a name of one label (`api`) as `api.<domain>`, domain by domain, and at last as it is.
/// Names with a dot are absolute and only asked as they are.
///
/// The first candidate that has records answers. One that does not exist, or has nothing to connect
/// to, lets the next be tried; when all are like that, the last one's answer is delivered. Anything
/// else (a timeout, SERVFAIL) ends the search with that failure: the next candidate may well be
/// somebody else's host. For the same reason a candidate with addresses of the other family only
/// ends it: IPv4 and IPv6 addresses of one name never come from two hosts. That costs one more
/// question where a candidate says NODATA.
///
/// `answer::asked` is always the original question; the TTL is the answering candidate's.
///
/// \par Threads Those of the source below: one strand.
class search_source final : public dns_source {
 public:
  /// `domains` are canonical: lower case, no trailing dot.
  search_source(std::unique_ptr<dns_source> below, std::vector<std::string> domains);
  ~search_source() override;

  void ask(const question& q, handler done) override;
  void close() noexcept override;
  [[nodiscard]] std::uint64_t rebuilds() const noexcept override;

 private:
  struct state;
  class walk;

  std::shared_ptr<state> state_;
};

}  // namespace redial::inline REDIAL_ABI::detail
