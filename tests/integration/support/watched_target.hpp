// SPDX-License-Identifier: Apache-2.0
#pragma once

// A target that a test watches through a discovery of its own.

#include <redial/discovery/discovery.hpp>
#include <redial/testing/event_recorder.hpp>

#include "support/event_wait.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {

/// Asks every second at most, so that a test sees a change soon.
[[nodiscard]] inline watch_options every_second() {
  watch_options watch;
  watch.ttl_cap = std::chrono::seconds{1};
  return watch;
}

class watched_target {
 public:
  /// `nameserver`: `address:port`. No hosts file.
  watched_target(boost::asio::io_context& io,
                 const std::string& nameserver,
                 const std::string& name,
                 const watch_options& watch = every_second())
      : io_(io), target_(name), names_(discovery::create(io.get_executor(), [&] {
          discovery_options o;
          o.nameservers = {nameserver};
          o.hosts_path = "";
          o.watch = watch;
          o.listener = events_;
          return o;
        }())) {
    subscription_ = names_->subscribe(
        target_, io.get_executor(), [this](snapshot_ptr s) { seen_ = std::move(s); });
  }

  /// Runs until the endpoints are these (see `texts`). False after `limit`.
  [[nodiscard]] bool becomes(const std::vector<std::string>& wanted,
                             std::chrono::seconds limit = std::chrono::seconds{30}) {
    return run_until(
        io_, [&] { return seen_ && texts() == wanted; }, limit);
  }
  /// Runs until a snapshot carries `code`.
  [[nodiscard]] bool fails_with(const error_code& code) {
    return run_until(io_, [&] { return seen_ && seen_->error == code; });
  }

  /// `127.0.0.2:80`, and with a service `127.0.0.2:80 (node1.test) 10/5`: priority and weight.
  [[nodiscard]] std::vector<std::string> texts() const {
    std::vector<std::string> all;
    if (!seen_) return all;
    for (const snapshot_entry& e : seen_->endpoints) {
      std::string text = to_string(e.where);
      if (!e.where.srv_target.empty()) {
        text += " " + std::to_string(e.where.priority) + "/" + std::to_string(e.where.weight);
      }
      all.push_back(std::move(text));
    }
    return all;
  }
  /// By the endpoint's text without attributes.
  [[nodiscard]] std::map<std::string, std::uint64_t> lives() const {
    std::map<std::string, std::uint64_t> all;
    for (const snapshot_entry& e : seen_->endpoints) all[to_string(e.where)] = e.life;
    return all;
  }
  [[nodiscard]] std::size_t changes(endpoint_change c) const {
    return events_->count(event_kind::endpoint, to_string(c));
  }
  [[nodiscard]] explanation explain() {
    std::unique_ptr<explanation> got;
    names_->async_explain(
        target_, [&](explanation e) { got = std::make_unique<explanation>(std::move(e)); });
    if (!run_until(io_, [&] { return got != nullptr; })) return {};
    return *got;
  }

  [[nodiscard]] const snapshot& seen() const { return *seen_; }
  [[nodiscard]] const event_recorder& events() const noexcept { return *events_; }
  [[nodiscard]] const std::shared_ptr<discovery>& names() const noexcept { return names_; }

 private:
  boost::asio::io_context& io_;
  target target_;
  std::shared_ptr<event_recorder> events_ = std::make_shared<event_recorder>();
  std::shared_ptr<discovery> names_;
  snapshot_ptr seen_;
  subscription subscription_;
};

}  // namespace redial::inline REDIAL_ABI::testing
