// SPDX-License-Identifier: Apache-2.0
#pragma once

// HTTP servers on many loopback addresses and one port, which count.

#include <redial/core/abi.hpp>

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {

/// Answers every request (without a body) on each of its addresses with 200. Runs on the test's own
/// executor.
class http_farm {
 public:
  struct figures {
    std::size_t accepted = 0;
    std::size_t closed = 0;  ///< By the client.
    std::size_t requests = 0;
  };

  /// Listens on all of `addresses` (of 127.0.0.0/8 or `::1`), on a port free on all of them.
  http_farm(boost::asio::io_context& io, const std::vector<std::string>& addresses);
  ~http_farm();
  http_farm(const http_farm&) = delete;
  http_farm& operator=(const http_farm&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] const figures& at(const std::string& address) const;

  /// Closes listeners and connections.
  void close();

 private:
  class site;
  class session;

  std::uint16_t port_;
  std::map<std::string, std::shared_ptr<site>> sites_;
};

}  // namespace redial::inline REDIAL_ABI::testing
