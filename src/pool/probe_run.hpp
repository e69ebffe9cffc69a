// SPDX-License-Identifier: Apache-2.0
#pragma once

// One check of one connection by a health probe.

#include <redial/pool/health_probe.hpp>
#include <redial/ports/connector.hpp>

#include <atomic>
#include <functional>
#include <memory>

namespace redial::inline REDIAL_ABI::detail {

/// Ends once: by the probe's word, or by `cancel`. Gives the connection back then; whoever takes it
/// closes it if need be.
class probe_run final : public connect_operation, public std::enable_shared_from_this<probe_run> {
 public:
  using handler = std::function<void(error_code, std::shared_ptr<pooled_connection>)>;

  probe_run(std::shared_ptr<pooled_connection> connection, handler done);

  /// Posts the check of `request.connection`, the same, to its executor: by now it may have been
  /// given back by `cancel` on another thread. `probe` is kept alive meanwhile.
  void start(probe_request request, std::shared_ptr<health_probe> probe);
  void cancel() noexcept override;

 private:
  void finish(error_code ec);

  std::shared_ptr<pooled_connection> connection_;
  handler done_;
  std::atomic<bool> over_{false};
};

}  // namespace redial::inline REDIAL_ABI::detail
