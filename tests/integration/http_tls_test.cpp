// SPDX-License-Identifier: Apache-2.0
// HTTP over TLS: where a body ends, and who is talked to.
#include "support/http_world.hpp"
#include "support/tls_server.hpp"

#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {
namespace {

namespace asio = boost::asio;

/// One authority for all tests; keys take time.
certificate_authority& authority() {
  static certificate_authority ca;
  return ca;
}

class HttpTls : public HttpWorld {
 protected:
  enum class ending { farewell, none, keep };

  HttpTls() {
    options.tls.ca_file = authority().ca_file();
    options.client.retry.max_attempts = 1;
  }
  ~HttpTls() override {
    tls->close();
    shut_down();
  }

  void serve(const std::string& reply, ending how) {
    reply_ = reply;
    how_ = how;
    connect("https://localhost:" + std::to_string(tls->port()));
  }
  http_result get_over_tls() {
    const auto result = start(http_request("GET", "/"));
    EXPECT_TRUE(run_until(io, [&] {
      for (const auto& p : tls->peers()) {
        if (p->is_shaken && served_.insert(p).second) answer(p);
      }
      return result->completions > 0;
    }));
    return *result;
  }

  std::unique_ptr<tls_server> tls =
      std::make_unique<tls_server>(io, authority().issue_for({"localhost"}));

 private:
  using peer_ptr = std::shared_ptr<tls_server::peer>;

  void answer(const peer_ptr& p) {
    auto in = std::make_shared<std::string>();
    asio::async_read_until(
        p->tls, asio::dynamic_buffer(*in), "\r\n\r\n", [this, p, in](auto ec, std::size_t) {
          if (!ec) write(p);
        });
  }
  void write(const peer_ptr& p) {
    asio::async_write(p->tls, asio::buffer(reply_), [this, p](auto, std::size_t) {
      if (how_ == ending::keep) return answer(p);
      if (how_ == ending::farewell) {
        p->tls.async_shutdown([p](auto) { p->tls.next_layer().close(); });
        return;
      }
      boost::system::error_code ignored;
      p->tls.next_layer().shutdown(asio::socket_base::shutdown_send, ignored);
    });
  }

  std::string reply_;
  ending how_ = ending::keep;
  std::set<peer_ptr> served_;
};

TEST_F(HttpTls, GetsAndKeepsTheConnection) {
  serve("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", ending::keep);
  for (int i = 0; i < 3; ++i) {
    const http_result r = get_over_tls();
    EXPECT_FALSE(r.error) << r.error.message() << r.response.history.text();
    EXPECT_EQ(r.response.body, "ok");
  }
  EXPECT_EQ(tls->peers().size(), 1U);
}

TEST_F(HttpTls, Fault142_ABodyWithALengthNeedsNoFarewell) {
  serve("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", ending::none);
  const http_result r = get_over_tls();
  EXPECT_FALSE(r.error) << r.error.message();
  EXPECT_EQ(r.response.body, "ok");
}

TEST_F(HttpTls, Fault142_ABodyThatEndsWithTheConnectionNeedsOne) {
  serve("HTTP/1.1 200 OK\r\n\r\nsome", ending::none);
  EXPECT_EQ(get_over_tls().error, errc::partial_response) << "anybody could have cut it there";
}

TEST_F(HttpTls, Fault142_ABodyThatEndsWithAFarewell) {
  serve("HTTP/1.1 200 OK\r\n\r\nall", ending::farewell);
  const http_result r = get_over_tls();
  EXPECT_FALSE(r.error) << r.error.message();
  EXPECT_EQ(r.response.body, "all");
}

TEST_F(HttpTls, Fault139_SomebodyElsesCertificateGetsNoRequest) {
  tls->close();
  tls = std::make_unique<tls_server>(io, authority().issue_for({"other.test"}));
  serve("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", ending::keep);
  const http_result r = finish(start(http_request("GET", "/"), 1s));
  EXPECT_EQ(r.error, errc::tls_name_mismatch) << r.error.message() << r.response.history.text();
  EXPECT_EQ(r.response.status, 0);
}

TEST_F(HttpTls, Fault147_APeerThatSpeaksNoTls) {
  asio::ip::tcp::acceptor mail(io, {asio::ip::address_v4::loopback(), 0});
  std::vector<asio::ip::tcp::socket> accepted;
  const std::string greeting = "220 mail.test ESMTP\r\n";
  std::function<void()> accept = [&] {
    mail.async_accept([&](auto ec, asio::ip::tcp::socket socket) {
      if (ec) return;
      asio::write(socket, asio::buffer(greeting));
      accepted.push_back(std::move(socket));
      accept();
    });
  };
  accept();
  connect("https://localhost:" + std::to_string(mail.local_endpoint().port()));
  const http_result r = finish(start(http_request("GET", "/")));
  EXPECT_EQ(r.error, errc::not_tls) << r.error.message() << r.response.history.text();
  mail.close();
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
