// SPDX-License-Identifier: Apache-2.0
#include <redial/net/tls_connection.hpp>
#include <redial/net/tls_connector.hpp>
#include <redial/net/tls_reloader.hpp>

#include "net/opening.hpp"
#include "net/session_cache.hpp"
#include "net/tls_settings.hpp"
#include "net/verify.hpp"

#include <openssl/err.h>

#include <memory>
#include <utility>

namespace redial::inline REDIAL_ABI {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

class tls_opening final : public detail::opening {
 public:
  tls_opening(const connect_request& request,
              const tcp_options& tcp,
              connector::handler done,
              std::shared_ptr<const detail::tls_settings> settings)
      : opening(request, tcp, std::move(done)), settings_(std::move(settings)) {}

 private:
  void connected(tcp::socket socket) override {
    stream_ = tls_stream::make(std::move(socket), settings_->context);
    ::ERR_clear_error();
    if (const error_code ec = prepare()) return fail(ec);
    auto self = std::static_pointer_cast<tls_opening>(shared_from_this());
    stream_->async_handshake(asio::ssl::stream_base::client,
                             [self](const error_code& ec) { self->shaken(ec); });
  }

  error_code prepare() {
    SSL* const ssl = stream_->native_handle();
    if (const error_code ec = detail::expect_peer(ssl, settings_->identity)) return ec;
    const auto& sessions = settings_->sessions;
    if (!sessions) return {};
    // Without memory for either, the handshake is only a full one.
    if (!detail::tie(ssl, {sessions, request().where.port})) return {};
    if (const auto session = sessions->take(request().where.port)) {
      (void)::SSL_set_session(ssl, session.get());
    }
    return {};
  }

  void shaken(const error_code& ec) {
    if (is_done()) return;
    SSL* const ssl = stream_->native_handle();
    if (ec) return fail(detail::handshake_error(ssl, ec, !settings_->alpn.empty()));
    if (const error_code no = detail::check_peer(ssl, settings_->identity)) return fail(no);
    if (const error_code no = detail::check_alpn(ssl, settings_->alpn)) return fail(no);
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
    stream_->lowest_layer().close(ignored);
  }

  const std::shared_ptr<const detail::tls_settings> settings_;
  std::shared_ptr<tls_stream> stream_;
};

}  // namespace

tls_connector::tls_connector(const host_name& identity, tcp_options tcp, const tls_options& tls)
    : tcp_options_(std::move(tcp)),
      settings_(std::make_shared<detail::live_tls_settings>(identity, tls)) {
  detail::validate(tcp_options_);
  if (tls.reloader) tls.reloader->add(settings_);
}

tls_connector::~tls_connector() = default;

std::shared_ptr<connect_operation> tls_connector::open(const connect_request& request,
                                                       handler done) {
  return detail::started(
      std::make_shared<tls_opening>(request, tcp_options_, std::move(done), settings_->current()));
}

void tls_connector::reload() { settings_->use(settings_->read()); }

}  // namespace redial::inline REDIAL_ABI
