// SPDX-License-Identifier: Apache-2.0
#pragma once

// Asks for a name once, as a client without redial does each time it connects.

#include <redial/core/address.hpp>
#include <redial/core/error.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace redial::churn {

/// One resolution: both families, no cache, nothing followed. Dropping it gives up.
///
/// \par Threads One thread; the handler runs on the executor, never from inside the constructor.
class lookup {
 public:
  using handler = std::function<void(error_code, std::vector<address>)>;

  lookup(const boost::asio::any_io_executor& executor,
         const std::string& nameserver,
         const std::string& host,
         handler done);
  ~lookup();
  lookup(const lookup&) = delete;
  lookup& operator=(const lookup&) = delete;

 private:
  class pending;
  std::shared_ptr<pending> pending_;
};

}  // namespace redial::churn
