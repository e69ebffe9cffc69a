// SPDX-License-Identifier: Apache-2.0

#include <redial/core/access.hpp>
#include <redial/discovery/discovery.hpp>
#include <redial/net/asio_scheduler.hpp>

#include "discovery/discovery_state.hpp"
#include "discovery/dns_setup.hpp"
#include "discovery/options.hpp"
#include "discovery/subscription_state.hpp"
#include "net/executors.hpp"

#include <stdexcept>
#include <utility>

namespace redial::inline REDIAL_ABI {

subscription::subscription(std::shared_ptr<detail::subscription_state> state) noexcept
    : state_(std::move(state)) {}

subscription& subscription::operator=(subscription&& other) noexcept {
  if (this != &other) {
    cancel();
    state_ = std::move(other.state_);
  }
  return *this;
}

subscription::~subscription() { cancel(); }

void subscription::cancel() noexcept {
  if (const auto state = std::exchange(state_, nullptr)) state->cancel();
}

void subscription::report(const endpoint& where, endpoint_outcome outcome, bool last_usable) const {
  if (state_) state_->report(where, outcome, last_usable);
}

void subscription::refresh() const {
  if (state_) state_->refresh();
}

discovery::discovery(std::shared_ptr<detail::discovery_state> state) noexcept
    : state_(std::move(state)) {}

discovery::~discovery() { state_->close(); }

std::shared_ptr<discovery> discovery::create(boost::asio::any_io_executor executor,
                                             const discovery_options& options) {
  detail::validate(options);
  if (!executor) throw std::invalid_argument("discovery::create: executor is empty");
  auto strand = detail::serialised(executor);
  auto time = scheduler_of(executor);
  auto source = detail::make_dns_source(strand, options, time);
  discovery_options with_hosts = options;
  if (!with_hosts.hosts_path) with_hosts.hosts_path = "/etc/hosts";
  return create(std::move(strand), with_hosts, std::move(source), std::move(time));
}

std::shared_ptr<discovery> discovery::create(boost::asio::any_io_executor executor,
                                             const discovery_options& options,
                                             std::unique_ptr<dns_source> source,
                                             std::shared_ptr<scheduler> time) {
  detail::validate(options);
  if (!executor) throw std::invalid_argument("discovery::create: executor is empty");
  if (!source) throw std::invalid_argument("discovery::create: source is null");
  if (!time) throw std::invalid_argument("discovery::create: time is null");
  return std::shared_ptr<discovery>(new discovery(detail::discovery_state::make(
      std::move(executor), options, std::move(source), std::move(time))));
}

subscription discovery::subscribe(const target& t,
                                  boost::asio::any_io_executor executor,
                                  snapshot_handler on_snapshot) {
  if (!executor) throw std::invalid_argument("discovery::subscribe: executor is empty");
  if (!on_snapshot) throw std::invalid_argument("discovery::subscribe: on_snapshot is null");
  return detail::access::make<subscription>(
      state_->subscribe(t, std::move(executor), std::move(on_snapshot)));
}

void discovery::close() { state_->close(); }

dns_counters discovery::counters() const { return state_->counters(); }
dns_histograms discovery::histograms() const { return state_->figures()->histograms(); }

redial::meter discovery::meter() const {
  using detail::shared_counters;
  return [weak = std::weak_ptr<const shared_counters>(
              state_->figures())]() -> std::optional<measurements> {
    const auto figures = weak.lock();
    if (figures == nullptr) return std::nullopt;
    measurements m;
    m.dns = {figures->copy(), figures->histograms()};
    return m;
  };
}

std::shared_ptr<scheduler> discovery::time() const { return state_->time(); }

boost::asio::any_io_executor discovery::executor_of(
    const std::shared_ptr<detail::discovery_state>& state) {
  return state->strand();
}

void discovery::start_explain(const std::shared_ptr<detail::discovery_state>& state,
                              const target& t,
                              detail::completion<void(explanation)> done) {
  const auto strand = state->strand();
  if (!strand) return;  // its context is gone, and nothing completes any more
  // A std::function must be copyable.
  auto held = std::make_shared<detail::completion<void(explanation)>>(std::move(done));
  state->explain(t, [strand, held](explanation e) { std::move(*held).post(strand, std::move(e)); });
}

}  // namespace redial::inline REDIAL_ABI
