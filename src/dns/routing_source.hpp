// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which of several sources answers for a name: split horizon, Consul beside the company's DNS.

#include <redial/ports/dns_source.hpp>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// Sends every question to exactly one source: that of the longest zone that the name is in, or the
/// one for the rest. What one of them says about a name is never mixed with what another says.
///
/// \par Threads Those of its sources: one strand.
class routing_source final : public dns_source {
 public:
  struct zone {
    std::string suffix;  ///< Canonical: lower case, no trailing dot. Each once.
    std::unique_ptr<dns_source> source;
  };

  routing_source(std::unique_ptr<dns_source> rest, std::vector<zone> zones);

  void ask(const question& q, handler done) override;
  void close() noexcept override;
  /// Of all.
  [[nodiscard]] std::uint64_t rebuilds() const noexcept override;

 private:
  [[nodiscard]] dns_source& source_of(std::string_view name) const;

  std::unique_ptr<dns_source> rest_;
  std::map<std::string, std::unique_ptr<dns_source>, std::less<>> zones_;
};

}  // namespace redial::inline REDIAL_ABI::detail
