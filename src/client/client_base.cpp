// SPDX-License-Identifier: Apache-2.0

#include <redial/client/client.hpp>

#include "client/client_state.hpp"

#include <memory>
#include <optional>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {

client_base::client_base(boost::asio::any_io_executor executor,
                         std::shared_ptr<discovery> names,
                         const target& t,
                         std::shared_ptr<connector> opener,
                         const client_options& options,
                         std::shared_ptr<scheduler> time)
    : state_(client_state::create(
          std::move(executor), std::move(names), t, std::move(opener), options, std::move(time))) {}

client_base::client_base(client_base&&) noexcept = default;

client_base& client_base::operator=(client_base&& other) noexcept {
  if (this == &other) return *this;
  const auto before = std::exchange(state_, std::move(other.state_));
  if (before) before->close();
  return *this;
}

client_base::~client_base() {
  if (state_) state_->close();
}

void client_base::start_call(const state_ptr& state,
                             std::unique_ptr<erased_operation> op,
                             const call_options& options,
                             completion<called> done) {
  state->start_call(std::move(op), options, std::move(done));
}

bool client_base::reset() { return state_->reset({}); }
void client_base::close() { state_->close(); }
void client_base::start_drain(const state_ptr& state, time_point by, completion<drain_ended> done) {
  state->start_drain(by, std::move(done));
}
void client_base::start_checkout(const state_ptr& state,
                                 const checkout_options& options,
                                 completion<checked_out> done) {
  state->start_checkout(options, std::move(done));
}
client_counters client_base::counters() const { return state_->counters(); }
client_histograms client_base::histograms() const { return state_->histograms(); }

redial::meter client_base::meter() const {
  return [weak = std::weak_ptr<const client_state>(state_)]() -> std::optional<measurements> {
    const auto state = weak.lock();
    if (state == nullptr) return std::nullopt;
    return state->measured();
  };
}

void client_base::start_explain(const state_ptr& state, completion<void(client_explanation)> done) {
  state->explain(std::move(done));
}

pool_base& client_base::pool() const noexcept { return state_->pool(); }

const boost::asio::any_io_executor& client_base::executor_of(const state_ptr& state) noexcept {
  return state->executor();
}

}  // namespace redial::inline REDIAL_ABI::detail
