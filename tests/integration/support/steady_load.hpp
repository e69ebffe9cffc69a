// SPDX-License-Identifier: Apache-2.0
#pragma once

// A steady stream of requests.

#include <redial/http/http_client.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <string>

namespace redial::inline REDIAL_ABI::testing {

/// Sends a GET every `interval`, unless `most` are in flight: then that one is left out.
///
/// \par Lifetime Stop it, and run the executor until `in_flight()` is 0, before it or the client
///     goes.
class steady_load {
 public:
  steady_load(boost::asio::io_context& io,
              http_client& client,
              std::chrono::milliseconds interval,
              std::size_t most)
      : client_(client), timer_(io), interval_(interval), most_(most) {}

  void start() {
    timer_.expires_after(interval_);
    timer_.async_wait([this](auto ec) {
      if (ec || stopped_) return;
      if (in_flight_ < most_) send();
      start();
    });
  }
  void stop() {
    stopped_ = true;
    timer_.cancel();
  }

  [[nodiscard]] std::size_t served() const noexcept { return served_; }
  [[nodiscard]] std::size_t failed() const noexcept { return failed_; }
  [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }
  /// What the first failure said, with its attempts.
  [[nodiscard]] const std::string& first_failure() const noexcept { return first_failure_; }

 private:
  void send() {
    ++in_flight_;
    client_.async_get(
        "/", call_options(std::chrono::seconds{10}), [this](error_code ec, const http_response& r) {
          --in_flight_;
          if (!ec) {
            ++served_;
          } else if (failed_++ == 0) {
            first_failure_ = ec.message() + "\n" + r.history.text();
          }
        });
  }

  http_client& client_;
  boost::asio::steady_timer timer_;
  std::chrono::milliseconds interval_;
  std::size_t most_;
  bool stopped_ = false;
  std::size_t served_ = 0;
  std::size_t failed_ = 0;
  std::size_t in_flight_ = 0;
  std::string first_failure_;
};

}  // namespace redial::inline REDIAL_ABI::testing
