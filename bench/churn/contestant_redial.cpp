// SPDX-License-Identifier: Apache-2.0
#include "churn/contestant_redial.hpp"

#include <redial/http/http_client.hpp>

#include <fmt/core.h>

#include <utility>

namespace redial::churn {

namespace {

class redial_contestant final : public contestant {
 public:
  redial_contestant(const boost::asio::any_io_executor& executor, const service_address& where)
      : client_(
            executor, names(executor, where), fmt::format("http://{}:{}", where.host, where.port)) {
  }

  const std::string& id() const noexcept override { return id_; }

  void async_get(std::uint64_t request, time_point deadline, handler done) override {
    client_.async_get(fmt::format("/{}/{}", id_, request),
                      call_options(deadline),
                      [done = std::move(done)](error_code ec, const http_response& response) {
                        done(reply_of(ec, response));
                      });
  }

  std::uint64_t connections() const override { return client_.connection_counters().opened; }

  void close() override { client_.close(); }

 private:
  static std::shared_ptr<discovery> names(const boost::asio::any_io_executor& executor,
                                          const service_address& where) {
    discovery_options options;
    options.nameservers = {where.nameserver};
    options.watch.ttl_cap = where.ttl_cap;
    options.watch.seed = where.seed;
    return discovery::create(executor, options);
  }

  static reply reply_of(error_code ec, const http_response& response) {
    reply r;
    r.attempts = static_cast<std::uint32_t>(response.history.attempts.size()) + (ec ? 0 : 1);
    r.ok = !ec && response.status == 200;
    if (r.ok) {
      r.backend = response.body;
    } else {
      r.error = ec ? ec.message() : fmt::format("status {}", response.status);
      if (ec && !response.history.attempts.empty()) r.error += "; " + response.history.text();
    }
    return r;
  }

  const std::string id_ = "redial";
  http_client client_;
};

}  // namespace

std::unique_ptr<contestant> make_redial(const boost::asio::any_io_executor& executor,
                                        const service_address& where) {
  return std::make_unique<redial_contestant>(executor, where);
}

}  // namespace redial::churn
