// SPDX-License-Identifier: Apache-2.0
#include "churn/contestant_redial.hpp"

#include <redial/http/http_client.hpp>
#include <redial/net/identity.hpp>

#include <fmt/core.h>

#include <utility>

namespace redial::churn {

namespace {

class redial_contestant final : public contestant {
 public:
  redial_contestant(std::string id,
                    const boost::asio::any_io_executor& executor,
                    const service_address& where,
                    const http_options& options)
      : id_(std::move(id)), client_(executor, names(executor, where), target_of(where), options) {}

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

  static std::string target_of(const service_address& where) {
    const auto* scheme = where.tls ? "https" : "http";
    if (!where.srv.empty()) return fmt::format("srv+{}://{}", scheme, where.srv);
    return fmt::format("{}://{}:{}", scheme, where.host, where.port);
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

  const std::string id_;
  http_client client_;
};

http_options options_for(const service_address& where) {
  http_options options;
  options.tls.ca_file = where.ca_file;
  if (!where.identity_path.empty()) {
    http_identity who;
    who.path = where.identity_path;
    who.header = "Service";
    who.header_value = "churn";
    options.tcp.identity = expect_http(who);
  }
  return options;
}

}  // namespace

std::unique_ptr<contestant> make_redial(const boost::asio::any_io_executor& executor,
                                        const service_address& where) {
  return std::make_unique<redial_contestant>("redial", executor, where, options_for(where));
}

std::unique_ptr<contestant> make_redial_finagle(const boost::asio::any_io_executor& executor,
                                                const service_address& where) {
  auto options = options_for(where);
  options.client.retry = retry_policy::finagle();
  return std::make_unique<redial_contestant>("finagle", executor, where, options);
}

}  // namespace redial::churn
