// SPDX-License-Identifier: Apache-2.0
#pragma once

// A hosts file, kept up to date.

#include <redial/core/address.hpp>
#include <redial/ports/scheduler.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

class hosts_file_state;

/// Follows a hosts file by a stat every second. What counts and when: `stable_file`, `hosts_watch`.
/// A file that is not there may come later. Up to 16 MiB are read; a longer one counts as
/// unreadable.
///
/// \par Threads The strand. The destructor may run elsewhere; a call of `on_change` that has begun
///      by then ends by itself.
/// \par Lifetime Nothing is left after the destructor, nor while stopped. May outlive the strand's
///      execution context: it then goes on knowing what it knew.
class hosts_file {
 public:
  /// Gets the names, canonical and sorted, whose addresses are others than before.
  using change_handler = std::function<void(const std::vector<std::string>&)>;

  /// How often the file is looked at.
  static constexpr duration poll_interval = std::chrono::seconds{1};

  /// Stopped. `on_change` is called on the strand, never from inside a member function, and may
  /// call any of them. It may be null.
  hosts_file(boost::asio::any_io_executor strand,
             std::shared_ptr<scheduler> time,
             std::string path,
             change_handler on_change);
  ~hosts_file();
  hosts_file(const hosts_file&) = delete;
  hosts_file& operator=(const hosts_file&) = delete;

  /// Reads the file, blocking, so that the next `find` knows it, and follows it from now on. What
  /// was known before a `stop` and is not in the file goes 5 s from now. `on_change` hears what a
  /// restart has found changed; the first start is silent. Harmless when started already.
  void start();
  /// Keeps what is known; `on_change` is not called until the next `start`. Harmless when stopped.
  void stop();

  /// The addresses of `name` (in canonical form), sorted, never none. Null: no hit, ask DNS. Valid
  /// until the strand is left.
  [[nodiscard]] const std::vector<address>* find(std::string_view name) const noexcept;

 private:
  std::shared_ptr<hosts_file_state> state_;
};

}  // namespace redial::inline REDIAL_ABI::detail
