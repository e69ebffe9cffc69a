// SPDX-License-Identifier: Apache-2.0
#include <redial/net/identity.hpp>
#include <redial/net/tcp_connection.hpp>
#include <redial/net/tcp_connector.hpp>

#include "net/opening.hpp"

#include <boost/asio/dispatch.hpp>

#include <atomic>
#include <memory>
#include <utility>

namespace redial::inline REDIAL_ABI {

namespace asio = boost::asio;

namespace {

class tcp_opening final : public detail::opening {
 public:
  tcp_opening(const connect_request& request, const tcp_options& options, connector::handler done)
      : opening(request, options, std::move(done)), identity_(options.identity) {}

 private:
  void connected(asio::ip::tcp::socket socket) override {
    stream_ = tcp_stream::make(std::move(socket));
    if (!identity_) return proven({});
    identity_request asked;
    asked.stream = stream_.get();
    asked.where = request().where;
    asked.deadline = request().deadline;
    identity_->prove(asked, answer_to(self()));
  }

  /// What the check calls. Without another copy of it, nobody else keeps the opening alive, so its
  /// end is the check's last word.
  static identity_check::handler answer_to(std::shared_ptr<tcp_opening> opening) {
    struct once {
      explicit once(std::shared_ptr<tcp_opening> o) : opening(std::move(o)) {}
      once(const once&) = delete;
      ~once() {
        if (!called) opening->give_up(errc::abandoned);
      }
      const std::shared_ptr<tcp_opening> opening;
      std::atomic<bool> called{false};
    };
    return [last = std::make_shared<once>(std::move(opening))](const error_code& ec) {
      if (last->called.exchange(true)) return;
      asio::dispatch(last->opening->stream_->get_executor(),
                     [o = last->opening, ec] { o->proven(ec); });
    };
  }

  void proven(error_code ec) {
    if (is_done()) return;
    std::unique_ptr<tcp_connection> connection;
    if (!ec) {
      detail::access::reset_counts(*stream_);
      connection = std::make_unique<tcp_connection>(std::exchange(stream_, nullptr));
      // Bytes that nobody asked for would be taken for the answer to the first request.
      if (identity_ && !connection->quiet()) ec = errc::identity_spent;
    }
    if (ec) {
      connection.reset();
      drop();
    }
    finish(ec, std::move(connection));
  }

  void drop() noexcept override {
    if (!stream_) return;
    error_code ignored;
    stream_->close(ignored);
  }

  std::shared_ptr<tcp_opening> self() {
    return std::static_pointer_cast<tcp_opening>(shared_from_this());
  }

  const std::shared_ptr<const identity_check> identity_;
  std::shared_ptr<tcp_stream> stream_;
};

}  // namespace

tcp_connector::tcp_connector(tcp_options options) : options_(std::move(options)) {
  detail::validate(options_);
}

std::shared_ptr<connect_operation> tcp_connector::open(const connect_request& request,
                                                       handler done) {
  return detail::started(std::make_shared<tcp_opening>(request, options_, std::move(done)));
}

}  // namespace redial::inline REDIAL_ABI
