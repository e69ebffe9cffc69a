// SPDX-License-Identifier: Apache-2.0
#include "dns/context_end.hpp"

#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/query.hpp>

#include <mutex>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {
namespace asio = boost::asio;

namespace {

class context_end_service final : public asio::execution_context::service {
 public:
  using key_type = context_end_service;
  static inline asio::execution_context::id id;

  explicit context_end_service(asio::execution_context& context) : service(context) {}

  void add(std::weak_ptr<ends_with_context> who) {
    const std::lock_guard lock{mutex_};
    std::erase_if(members_, [](const auto& m) { return m.expired(); });
    members_.push_back(std::move(who));
  }

 private:
  void shutdown() noexcept override {
    std::vector<std::weak_ptr<ends_with_context>> members;
    {
      const std::lock_guard lock{mutex_};
      members.swap(members_);
    }
    for (const auto& weak : members) {
      if (const auto member = weak.lock()) member->context_gone();
    }
  }

  std::mutex mutex_;
  std::vector<std::weak_ptr<ends_with_context>> members_;
};

}  // namespace

void on_context_end(const asio::any_io_executor& executor, std::weak_ptr<ends_with_context> who) {
  auto& context = asio::query(executor, asio::execution::context);
  if (!asio::has_service<context_end_service>(context)) {
    // Services are shut down in the reverse order of their creation, and ours needs the reactor.
    const asio::posix::stream_descriptor first{executor};
  }
  asio::use_service<context_end_service>(context).add(std::move(who));
}

}  // namespace redial::inline REDIAL_ABI::detail
