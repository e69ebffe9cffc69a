// SPDX-License-Identifier: Apache-2.0
#pragma once

// A cares_source with an io_context of its own, driven by the test's thread.

#include <redial/net/asio_scheduler.hpp>
#include <redial/testing/dns_server.hpp>

#include "dns/cares_source.hpp"
#include "support/event_wait.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <chrono>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {

/// Descriptors this process has open. For differences only: listing takes one itself.
inline std::ptrdiff_t open_descriptors() {
  using entry = std::filesystem::directory_iterator;
  return std::distance(entry{"/dev/fd"}, entry{});
}

/// False when they do not become `count` in 30 s. The server in this process closes its side of a
/// TCP connection on its own thread, soon after ours.
inline bool descriptors_become(std::ptrdiff_t count) {
  const auto limit = clock::now() + std::chrono::seconds{30};
  while (open_descriptors() != count) {
    if (clock::now() > limit) return false;
    std::this_thread::yield();
  }
  return true;
}

inline question make_question(std::string name, record_type type = record_type::a) {
  question q;
  q.name = std::move(name);
  q.type = type;
  return q;
}

class dns_client {
 public:
  using answers = std::vector<answer>;

  explicit dns_client(const redial::detail::cares_options& options)
      : io_(std::make_unique<boost::asio::io_context>(1)),
        strand_(boost::asio::make_strand(*io_)),
        source_(redial::detail::make_cares_source(strand_, options, scheduler_of(strand_))) {}

  /// Asks and waits.
  answer ask(const std::string& name, record_type type = record_type::a) {
    const auto got = start(name, type);
    wait_for(got);
    return got->front();
  }

  /// Runs until an answer is there.
  void wait_for(const std::shared_ptr<answers>& got) {
    if (!run_until(*io_, [&] { return !got->empty(); })) throw std::runtime_error("no answer");
  }

  /// Asks. Whatever comes is put into the result.
  std::shared_ptr<answers> start(const std::string& name, record_type type = record_type::a) {
    auto got = std::make_shared<answers>();
    const auto inline_call = std::make_shared<bool>(true);
    boost::asio::post(strand_, [this, name, type, got, inline_call] {
      source_->ask(make_question(name, type), [got, inline_call](const answer& a) {
        if (*inline_call) throw std::logic_error("called from inside ask");
        got->push_back(a);
      });
      *inline_call = false;
    });
    return got;
  }

  boost::asio::io_context& io() { return *io_; }
  redial::detail::cares_source& source() { return *source_; }
  /// Runs what is ready.
  void poll() {
    io_->restart();
    io_->poll();
  }
  void destroy_source() { source_.reset(); }
  /// Before the source, as a careless program does.
  void destroy_context() {
    strand_ = {};
    io_.reset();
  }

 private:
  std::unique_ptr<boost::asio::io_context> io_;
  boost::asio::any_io_executor strand_;
  std::unique_ptr<redial::detail::cares_source> source_;
};

inline redial::detail::cares_options options_for(std::vector<std::string> servers,
                                                 duration query_timeout = std::chrono::seconds{5}) {
  redial::detail::cares_options o;
  o.nameservers = std::move(servers);
  o.query_timeout = query_timeout;
  return o;
}

}  // namespace redial::inline REDIAL_ABI::testing
