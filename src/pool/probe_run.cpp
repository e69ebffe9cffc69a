// SPDX-License-Identifier: Apache-2.0
#include "pool/probe_run.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <exception>
#include <utility>

namespace redial::inline REDIAL_ABI {

namespace {

class open_probe final : public health_probe {
 public:
  void check(const probe_request&, handler done) override { done({}); }
};

}  // namespace

std::shared_ptr<health_probe> tcp_probe() { return std::make_shared<open_probe>(); }

namespace detail {

probe_run::probe_run(std::shared_ptr<pooled_connection> connection, handler done)
    : connection_(std::move(connection)), done_(std::move(done)) {}

void probe_run::start(probe_request request, std::shared_ptr<health_probe> probe) {
  const auto executor = request.connection->get_executor();
  auto check = [self = shared_from_this(), request = std::move(request), probe = std::move(probe)] {
    if (self->over_) return;
    try {
      probe->check(request, [self](error_code ec) { self->finish(ec); });
    } catch (const std::exception&) {
      self->finish(boost::asio::error::operation_aborted);
    }
  };
  boost::asio::post(executor, std::move(check));
}

void probe_run::cancel() noexcept { finish(boost::asio::error::operation_aborted); }

void probe_run::finish(error_code ec) {
  if (over_.exchange(true)) return;
  const handler done = std::move(done_);
  done(ec, std::move(connection_));
}

}  // namespace detail

}  // namespace redial::inline REDIAL_ABI
