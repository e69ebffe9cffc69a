// SPDX-License-Identifier: Apache-2.0
#include "dns/cares_source.hpp"

#include "dns/cares_source_state.hpp"

#include <stdexcept>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {
namespace asio = boost::asio;

namespace {

using namespace std::chrono_literals;

std::string milliseconds_text(duration d) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(d).count()) + " ms";
}

void check(const cares_options& o) {
  if (o.query_timeout < 10ms || o.query_timeout > 1min) {
    throw std::invalid_argument("query_timeout: " + milliseconds_text(o.query_timeout) +
                                "; want 10 ms to 1 min");
  }
  if (o.max_in_flight < 1 || o.max_in_flight > 1024) {
    throw std::invalid_argument("max_queries_in_flight: " + std::to_string(o.max_in_flight) +
                                "; want 1 to 1024");
  }
  if (o.max_per_second > 1'000'000) {
    throw std::invalid_argument("max_queries_per_second: " + std::to_string(o.max_per_second) +
                                "; want 0 to 1000000");
  }
}

}  // namespace

cares_source::cares_source(std::shared_ptr<cares_source_state> state) noexcept
    : state_(std::move(state)) {}

cares_source::~cares_source() { state_->close_later(); }

void cares_source::ask(const question& q, handler done) { state_->ask(q, std::move(done)); }

void cares_source::close() noexcept { state_->close(); }

std::uint64_t cares_source::rebuilds() const noexcept { return state_->rebuilds(); }

std::unique_ptr<cares_source> make_cares_source(asio::any_io_executor strand,
                                                const cares_options& options,
                                                std::shared_ptr<scheduler> time) {
  check(options);
  auto state = std::make_shared<cares_source_state>(std::move(strand), options, std::move(time));
  state->start();
  return std::make_unique<cares_source>(std::move(state));
}

}  // namespace redial::inline REDIAL_ABI::detail
