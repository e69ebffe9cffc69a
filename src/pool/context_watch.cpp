// SPDX-License-Identifier: Apache-2.0
#include "pool/context_watch.hpp"

#include "pool/pool_state.hpp"

#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/query.hpp>

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {
namespace {

namespace asio = boost::asio;

class context_watcher final : public asio::execution_context::service {
 public:
  using key_type = context_watcher;
  static inline asio::execution_context::id id;

  explicit context_watcher(asio::execution_context& context) : service(context) {}

  void add(const std::shared_ptr<pool_state>& pool) {
    const std::lock_guard lock(mutex_);
    // Doubling the room between cleanings makes them cheap, however many pools come and go.
    if (pools_.size() >= clean_at_) {
      std::erase_if(pools_, [](const auto& p) { return p.expired(); });
      clean_at_ = std::max<std::size_t>(16, 2 * pools_.size());
    }
    pools_.push_back(pool);
  }

 private:
  void shutdown() noexcept override {
    std::vector<std::weak_ptr<pool_state>> all;
    {
      const std::lock_guard lock(mutex_);
      all.swap(pools_);
    }
    for (const auto& one : all) {
      if (const auto pool = one.lock()) pool->context_gone();
    }
  }

  std::mutex mutex_;
  std::vector<std::weak_ptr<pool_state>> pools_;
  std::size_t clean_at_ = 16;
};

}  // namespace

void watch_context(const asio::any_io_executor& executor, const std::shared_ptr<pool_state>& pool) {
  auto& context = asio::query(executor, asio::execution::context);
  asio::use_service<context_watcher>(context).add(pool);
}

}  // namespace redial::inline REDIAL_ABI::detail
