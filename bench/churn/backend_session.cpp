// SPDX-License-Identifier: Apache-2.0
#include "churn/backend_session.hpp"

#include "churn/request_path.hpp"

#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace redial::churn {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using tls_stream = asio::ssl::stream<tcp::socket>;

template <class Stream>
class session final : public backend_session, public std::enable_shared_from_this<session<Stream>> {
 public:
  session(Stream stream, backend_service& service, backend_sessions& all)
      : backend_session(all),
        stream_(std::move(stream)),
        timer_(stream_.get_executor()),
        service_(service),
        number_(service.number_connection()) {}

  void start() {
    if constexpr (std::is_same_v<Stream, tls_stream>) {
      stream_.async_handshake(tls_stream::server, [self = this->shared_from_this()](auto ec) {
        if (!ec) self->read();
      });
    } else {
      read();
    }
  }

  void reset() override {
    boost::system::error_code ignored;
    auto& socket = stream_.lowest_layer();
    (void)socket.set_option(asio::socket_base::linger(true, 0), ignored);
    (void)socket.close(ignored);
  }

 private:
  void read() {
    request_ = {};
    http::async_read(
        stream_, buffer_, request_, [self = this->shared_from_this()](auto ec, std::size_t) {
          if (!ec) self->serve();
        });
  }

  void serve() {
    const auto target = request_.target();
    const std::string_view path(target.data(), target.size());
    if (path == "/who") return respond(http::status::ok, "");
    const auto name = parse_path(path);
    if (!name) return respond(http::status::not_found, "");
    service_.log(name->contestant, name->id, number_);
    if (service_.options().stranger) return respond(http::status::not_found, "");
    if (service_.how() == manner::unavailable) {
      return respond(http::status::service_unavailable, "");
    }
    timer_.expires_after(service_.time_for(name->id));
    timer_.async_wait([self = this->shared_from_this()](auto) {
      self->respond(http::status::ok, self->service_.options().name);
    });
  }

  void respond(http::status status, std::string body) {
    // Reading on notices when the client has had enough.
    if (service_.how() == manner::mute) return read();
    response_ = {status, request_.version()};
    response_.set(http::field::content_type, "text/plain");
    response_.set("Service", service_.options().stranger ? "stranger" : "churn");
    response_.keep_alive(request_.keep_alive() && service_.how() != manner::drain);
    response_.body() = std::move(body);
    response_.prepare_payload();
    http::async_write(stream_, response_, [self = this->shared_from_this()](auto ec, std::size_t) {
      if (!ec && self->response_.keep_alive()) self->read();
    });
  }

  Stream stream_;
  asio::steady_timer timer_;
  backend_service& service_;
  std::uint64_t number_;
  beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  http::response<http::string_body> response_;
};

template <class Stream>
void start(Stream stream, backend_service& service, backend_sessions& all) {
  std::make_shared<session<Stream>>(std::move(stream), service, all)->start();
}

}  // namespace

void serve_connection(tcp::socket socket,
                      asio::ssl::context* tls,
                      backend_service& service,
                      backend_sessions& all) {
  boost::system::error_code ignored;
  (void)socket.set_option(tcp::no_delay(true), ignored);
  if (tls != nullptr) {
    start(tls_stream(std::move(socket), *tls), service, all);
  } else {
    start(std::move(socket), service, all);
  }
}

}  // namespace redial::churn
