// SPDX-License-Identifier: Apache-2.0

#include <redial/client/client.hpp>
#include <redial/http/http_client.hpp>
#include <redial/net/asio_scheduler.hpp>
#include <redial/net/make_connector.hpp>
#include <redial/net/net_connection.hpp>

#include "client/recycled.hpp"
#include "http/exchange.hpp"
#include "http/http_call.hpp"
#include "http/request_check.hpp"

#include <stdexcept>
#include <utility>

namespace redial::inline REDIAL_ABI {

namespace detail {

namespace {

http_options checked(http_options o, const target& t) {
  validate(o);
  if (t.is_tls() || o.tcp.identity) o.client.pool.identity_proven = true;
  return o;
}

// What every attempt of one request does.
struct http_operation {
  static constexpr bool starts_silently = true;

  void operator()(attempt& a, net_connection& c, operation_handler done) {
    start_exchange(call, limits, a, c, std::move(done));
  }

  std::shared_ptr<http_call> call;
  response_limits limits;
};

// In the memory of the last one.
class recycled_operation final : public erased_operation, public recycled<recycled_operation> {
 public:
  explicit recycled_operation(http_operation op) : op_(std::move(op)) {}

  void start(attempt& a, pooled_connection& c, operation_handler done) override {
    op_.start(a, c, std::move(done));
  }
  [[nodiscard]] bool is_silent() const noexcept override { return op_.is_silent(); }
  void reset_traffic(pooled_connection& c) override { op_.reset_traffic(c); }
  [[nodiscard]] traffic traffic_of(pooled_connection& c) override { return op_.traffic_of(c); }

 private:
  typed_operation<net_connection, http_operation> op_;
};

}  // namespace

class http_state {
 public:
  http_state(boost::asio::any_io_executor executor,
             std::shared_ptr<discovery> names,
             std::shared_ptr<discovery> own_names,
             const target& t,
             const http_options& options,
             std::shared_ptr<scheduler> time)
      : options_(checked(options, t)),
        authority_(t.authority()),
        rest_of_head_(usual_rest_of_head(authority_, options_.user_agent)),
        own_names_(std::move(own_names)),
        time_(time || !executor ? time : scheduler_of(executor)),
        client_(std::move(executor),
                std::move(names),
                t,
                make_connector(t, options_.tcp, options_.tls),
                options_.client,
                std::move(time)) {}

  void start(std::shared_ptr<http_call> call, call_options options, completion<called> done) {
    if (const error_code bad = check_request(call->request())) {
      // Else the context is gone, and the handler is destroyed uncalled, as by the client.
      if (!time_->is_stopped()) std::move(done).post(executor(), bad, call_history());
      return;
    }
    const bool repeatable = is_idempotent(call->request(), options.is_idempotent);
    options.is_idempotent = repeatable;
    if (!call->prepare_usual(rest_of_head_, repeatable)) {
      call->prepare(authority_, options_.user_agent, repeatable);
    }
    const response_limits limits{options_.max_header_bytes, options_.max_body_bytes};
    client_base::start_call(
        access::base(client_).state(),
        std::make_unique<recycled_operation>(http_operation{std::move(call), limits}),
        options,
        std::move(done));
  }

  void close() {
    client_.close();
    if (own_names_) own_names_->close();
  }

  void start_drain(time_point by, completion<drain_ended> done) {
    // Its end, also for who has stopped waiting for it.
    if (own_names_) {
      client_base::start_drain(
          access::base(client_).state(),
          by,
          completion<drain_ended>([names = own_names_](error_code) { names->close(); }));
    }
    client_base::start_drain(access::base(client_).state(), by, std::move(done));
  }

  [[nodiscard]] const boost::asio::any_io_executor& executor() {
    return client_base::executor_of(access::base(client_).state());
  }
  [[nodiscard]] basic_client<net_connection>& client() noexcept { return client_; }

 private:
  const http_options options_;
  const std::string authority_;
  const std::string rest_of_head_;
  const std::shared_ptr<discovery> own_names_;
  const std::shared_ptr<scheduler> time_;  // null only where the client refuses to be made
  basic_client<net_connection> client_;
};

namespace {

target http_target(std::string_view text) {
  target t(text);
  if (t.scheme() == target_scheme::tcp || t.scheme() == target_scheme::tls) {
    throw std::invalid_argument("target '" + t.text() +
                                "' is not for HTTP: use http://, https://, srv+http://, "
                                "srv+https:// or static://");
  }
  return t;
}

}  // namespace

void start_request(const std::shared_ptr<http_state>& state,
                   std::shared_ptr<http_call> call,
                   const call_options& options,
                   completion<called> done) {
  state->start(std::move(call), options, std::move(done));
}

void start_drain(const std::shared_ptr<http_state>& state,
                 time_point by,
                 completion<drain_ended> done) {
  state->start_drain(by, std::move(done));
}

void start_explain(const std::shared_ptr<http_state>& state,
                   completion<void(client_explanation)> done) {
  client_base::start_explain(access::base(state->client()).state(), std::move(done));
}

const boost::asio::any_io_executor& executor_of(const std::shared_ptr<http_state>& state) {
  return state->executor();
}

}  // namespace detail

http_client::http_client(boost::asio::any_io_executor executor,
                         std::string_view target,
                         const http_options& options) {
  const auto t = detail::http_target(target);
  validate(options);
  discovery_options names_options;
  names_options.listener = options.client.listener;
  const auto names = discovery::create(executor, names_options);
  state_ =
      std::make_shared<detail::http_state>(std::move(executor), names, names, t, options, nullptr);
}

http_client::http_client(boost::asio::any_io_executor executor,
                         std::shared_ptr<discovery> names,
                         std::string_view target,
                         const http_options& options,
                         std::shared_ptr<scheduler> time)
    : state_(std::make_shared<detail::http_state>(std::move(executor),
                                                  std::move(names),
                                                  nullptr,
                                                  detail::http_target(target),
                                                  options,
                                                  std::move(time))) {}

http_client::http_client(http_client&&) noexcept = default;

http_client& http_client::operator=(http_client&& other) noexcept {
  if (this == &other) return *this;
  const auto before = std::exchange(state_, std::move(other.state_));
  if (before) before->close();
  return *this;
}

http_client::~http_client() {
  if (state_) state_->close();
}

bool http_client::reset() { return state_->client().reset(); }
void http_client::close() { state_->close(); }
client_counters http_client::counters() const { return state_->client().counters(); }
pool_counters http_client::connection_counters() const {
  return state_->client().connection_counters();
}
pool_gauges http_client::connection_gauges() const { return state_->client().connection_gauges(); }
client_histograms http_client::histograms() const { return state_->client().histograms(); }
pool_histograms http_client::connection_histograms() const {
  return state_->client().connection_histograms();
}
redial::meter http_client::meter() const { return state_->client().meter(); }

}  // namespace redial::inline REDIAL_ABI
