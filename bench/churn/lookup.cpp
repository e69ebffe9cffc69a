// SPDX-License-Identifier: Apache-2.0
#include "churn/lookup.hpp"

#include <redial/discovery/discovery.hpp>

#include <utility>

namespace redial::churn {

// A discovery that is thrown away after its first answer: c-ares asks the same server in the same
// way as for redial, and the answer is never looked at again.
class lookup::pending : public std::enable_shared_from_this<pending> {
 public:
  explicit pending(handler done) : done_(std::move(done)) {}

  void start(const boost::asio::any_io_executor& executor,
             const std::string& nameserver,
             const std::string& host) {
    discovery_options options;
    options.nameservers = {nameserver};
    names_ = discovery::create(executor, options);
    // The port is of no interest here.
    following_ = names_->subscribe(
        target("tcp://" + host + ":1"), executor, [weak = weak_from_this()](const snapshot_ptr& s) {
          if (const auto self = weak.lock()) self->answered(*s);
        });
  }

  void give_up() {
    done_ = nullptr;
    following_.cancel();
    if (names_) names_->close();
  }

 private:
  void answered(const snapshot& s) {
    if (!done_ || (s.endpoints.empty() && !s.error)) return;
    std::vector<address> addresses;
    for (const auto& e : s.endpoints) addresses.push_back(e.where.addr);
    const auto done = std::exchange(done_, nullptr);
    give_up();
    done(addresses.empty() ? s.error : error_code{}, std::move(addresses));
  }

  handler done_;
  std::shared_ptr<discovery> names_;
  subscription following_;
};

lookup::lookup(const boost::asio::any_io_executor& executor,
               const std::string& nameserver,
               const std::string& host,
               handler done)
    : pending_(std::make_shared<pending>(std::move(done))) {
  pending_->start(executor, nameserver, host);
}

lookup::~lookup() { pending_->give_up(); }

}  // namespace redial::churn
