// SPDX-License-Identifier: Apache-2.0
#include <redial/pool/pool.hpp>

#include "pool/pool_state.hpp"

#include <memory>
#include <optional>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {

pool_base::pool_base(boost::asio::any_io_executor executor,
                     std::unique_ptr<endpoint_feed> feed,
                     std::shared_ptr<connector> opener,
                     const pool_options& options,
                     std::shared_ptr<scheduler> time)
    : state_(pool_state::create(
          std::move(executor), std::move(feed), std::move(opener), options, std::move(time))) {}

pool_base::pool_base(pool_base&&) noexcept = default;

pool_base& pool_base::operator=(pool_base&& other) noexcept {
  if (this != &other) {
    if (state_ != nullptr) state_->close();
    state_ = std::move(other.state_);
  }
  return *this;
}

pool_base::~pool_base() {
  if (state_ != nullptr) state_->close();
}

boost::system::result<lease_base> pool_base::try_checkout() noexcept {
  pool_slot* const found = quick_checkout();
  if (found == nullptr) return why_nothing();
  return lease_base(found);
}

error_code pool_base::why_nothing() const noexcept { return state_->why_nothing(); }

boost::system::result<lease_base> pool_base::try_checkout(
    const checkout_options& options) noexcept {
  return state_->try_checkout(options);
}

void pool_base::start_checkout(const checkout_options& options, completion<checked_out> done) {
  state_->start_checkout(options, std::move(done));
}

void pool_base::start_checkout(const state_ptr& state,
                               const checkout_options& options,
                               completion<checked_out> done) {
  state->start_checkout(options, std::move(done));
}

void pool_base::start_drain(const state_ptr& state, time_point by, completion<drain_ended> done) {
  drain_plan plan;
  plan.refuses = true;
  plan.by = by;
  state->start_drain(plan, std::move(done));
}

bool pool_base::reset(error_code cause) { return state_->reset(cause); }
void pool_base::close(error_code ends_drain) { state_->close(ends_drain); }
void pool_base::start_drain(bool refuse, time_point by, completion<drain_ended> done) {
  drain_plan plan;
  plan.refuses = refuse;
  plan.by = by;
  state_->start_drain(plan, std::move(done));
}
pool_counters pool_base::counters() const { return state_->counters(); }
pool_gauges pool_base::gauges() const { return state_->gauges(); }
pool_histograms pool_base::histograms() const { return state_->histograms(); }
pool_explanation pool_base::explain() const { return state_->explain(); }

redial::meter pool_base::meter() const {
  return [weak = std::weak_ptr<const pool_state>(state_)]() -> std::optional<measurements> {
    const auto state = weak.lock();
    if (state == nullptr) return std::nullopt;
    measurements m;
    m.name = state->name();
    m.pool = state->measured();
    return m;
  };
}

error_code pool_base::last_connect_error() const { return state_->last_connect_error(); }
const std::string& pool_base::name() const noexcept { return state_->name(); }
const boost::asio::any_io_executor& pool_base::executor_of(const state_ptr& state) noexcept {
  return state->executor();
}
const std::shared_ptr<scheduler>& pool_base::time() const noexcept { return state_->time(); }

}  // namespace redial::inline REDIAL_ABI::detail
