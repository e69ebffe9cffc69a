// SPDX-License-Identifier: Apache-2.0
#include "dns/answer_batch.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace redial::inline REDIAL_ABI::detail {
namespace asio = boost::asio;

void answer_batch::add(dns_source::handler&& done, answer&& a) {
  entries_.push_back({std::move(done), std::move(a)});
}

void answer_batch::reopen(std::vector<std::string>& names) noexcept {
  for (auto& e : entries_) {
    if (names.size() == names.capacity()) break;
    names.push_back(std::move(e.result.asked.name));
  }
  entries_.clear();
  next_ = 0;
  started_ = false;
}

void answer_batch::run(const std::shared_ptr<answer_batch>& batch,
                       const asio::any_io_executor& strand) {
  if (std::exchange(batch->started_, true)) return;
  run_rest(batch, strand);
}

void answer_batch::post(const std::shared_ptr<answer_batch>& batch,
                        const asio::any_io_executor& strand) {
  asio::post(strand, [batch, strand] { run(batch, strand); });
}

void answer_batch::run_rest(const std::shared_ptr<answer_batch>& batch,
                            const asio::any_io_executor& strand) {
  while (batch->next_ < batch->entries_.size()) {
    auto& current = batch->entries_[batch->next_++];
    // Taken out: what a handler owns is let go of right after its call.
    const auto done = std::exchange(current.done, nullptr);
    try {
      done(current.result);
    } catch (...) {
      if (batch->next_ < batch->entries_.size()) {
        asio::post(strand, [batch, strand] { run_rest(batch, strand); });
      }
      throw;
    }
  }
}

}  // namespace redial::inline REDIAL_ABI::detail
