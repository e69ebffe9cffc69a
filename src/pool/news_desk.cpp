// SPDX-License-Identifier: Apache-2.0
#include "pool/news_desk.hpp"

#include "ports/tell_listener.hpp"

#include <new>
#include <utility>
#include <variant>

namespace redial::inline REDIAL_ABI::detail {

void news_desk::add(std::vector<pool_news>& news) noexcept {
  if (news.empty()) return;
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) return waiting_.swap(news);
  try {
    waiting_.insert(waiting_.end(), news.begin(), news.end());
  } catch (const std::bad_alloc&) {
    // These are not told.
  }
}

void news_desk::tell(bool may_post) {
  std::unique_lock lock(mutex_);
  if (telling_) return;
  while (!waiting_.empty()) {
    std::vector<pool_news> batch;
    batch.swap(waiting_);
    telling_ = true;
    lock.unlock();
    for (const pool_news& one : batch) {
      tell_listener(executor_, may_post, [&] { tell(one); });
    }
    lock.lock();
    telling_ = false;
  }
}

void news_desk::tell(const pool_news& one) const {
  if (const auto* e = std::get_if<endpoint_news>(&one)) {
    listener_->on_endpoint({name_, e->where, e->change, e->error});
  } else if (const auto* c = std::get_if<connection_news>(&one)) {
    listener_->on_connection(
        {name_, c->where, c->connection, c->change, c->reason, c->error, c->elapsed});
  } else if (const auto* r = std::get_if<reset_news>(&one)) {
    listener_->on_reset({name_, r->suppressed, r->cause});
  } else if (const auto* p = std::get_if<panic_news>(&one)) {
    listener_->on_panic({name_, p->begun, p->healthy, p->endpoints});
  } else if (const auto* w = std::get_if<checkout_news>(&one)) {
    listener_->on_checkout_failed({name_, w->error, w->waited});
  }
}

}  // namespace redial::inline REDIAL_ABI::detail
