// SPDX-License-Identifier: Apache-2.0
#include <redial/net/tls_connection.hpp>
#include <redial/net/tls_connector.hpp>

#include "net/opening.hpp"
#include "net/session_cache.hpp"
#include "net/tls_context.hpp"
#include "net/verify.hpp"

#include <openssl/err.h>

#include <memory>
#include <utility>

namespace redial {

namespace asio = boost::asio;
using asio::ip::tcp;

/// Shared with openings under way, which may outlive the connector.
class tls_connector::settings {
 public:
  settings(const host_name& of_target, const tls_options& options)
      : identity(detail::identity_of(options, of_target)),
        context(detail::make_tls_context(options)),
        sessions(options.session_reuse ? std::make_shared<detail::session_cache>() : nullptr) {}

  const host_name identity;
  mutable asio::ssl::context context;
  const std::shared_ptr<detail::session_cache> sessions;
};

namespace {

class tls_opening final : public detail::opening {
 public:
  template <class Settings>
  tls_opening(const connect_request& request,
              const tcp_options& tcp,
              connector::handler done,
              std::shared_ptr<const Settings> settings)
      : opening(request, tcp, std::move(done)),
        identity_(settings, &settings->identity),
        context_(settings, &settings->context),
        sessions_(settings->sessions) {}

 private:
  void connected(tcp::socket socket) override {
    stream_ = tls_stream::make(std::move(socket), *context_);
    ::ERR_clear_error();
    if (const error_code ec = prepare()) return fail(ec);
    auto self = std::static_pointer_cast<tls_opening>(shared_from_this());
    stream_->async_handshake(asio::ssl::stream_base::client,
                             [self](const error_code& ec) { self->shaken(ec); });
  }

  error_code prepare() {
    SSL* const ssl = stream_->native_handle();
    if (const error_code ec = detail::expect_peer(ssl, *identity_)) return ec;
    if (!sessions_) return {};
    // Without memory for either, the handshake is only a full one.
    if (!detail::tie(ssl, {sessions_, request().where.port})) return {};
    if (const auto session = sessions_->take(request().where.port)) {
      (void)::SSL_set_session(ssl, session.get());
    }
    return {};
  }

  void shaken(const error_code& ec) {
    if (is_done()) return;
    SSL* const ssl = stream_->native_handle();
    if (ec) return fail(detail::handshake_error(ssl, ec));
    if (const error_code refused = detail::check_peer(ssl, *identity_)) return fail(refused);
    auto stream = std::exchange(stream_, nullptr);
    finish({}, std::make_unique<tls_connection>(std::move(stream)));
  }

  void fail(const error_code& ec) {
    drop();
    finish(ec, nullptr);
  }

  void drop() noexcept override {
    if (!stream_) return;
    error_code ignored;
    stream_->next_layer().close(ignored);
  }

  const std::shared_ptr<const host_name> identity_;
  const std::shared_ptr<asio::ssl::context> context_;
  const std::shared_ptr<detail::session_cache> sessions_;
  std::shared_ptr<tls_stream> stream_;
};

}  // namespace

tls_connector::tls_connector(const host_name& identity, const tls_options& tls, tcp_options tcp)
    : tcp_options_(std::move(tcp)), settings_(std::make_shared<const settings>(identity, tls)) {
  detail::validate(tcp_options_);
}

tls_connector::~tls_connector() = default;

std::shared_ptr<connect_operation> tls_connector::open(const connect_request& request,
                                                       handler done) {
  return detail::started(
      std::make_shared<tls_opening>(request, tcp_options_, std::move(done), settings_));
}

}  // namespace redial
