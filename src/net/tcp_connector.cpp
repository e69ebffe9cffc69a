// SPDX-License-Identifier: Apache-2.0
#include <redial/net/tcp_connection.hpp>
#include <redial/net/tcp_connector.hpp>

#include "net/opening.hpp"

#include <memory>
#include <utility>

namespace redial {

namespace {

class tcp_opening final : public detail::opening {
 public:
  using opening::opening;

 private:
  void connected(boost::asio::ip::tcp::socket socket) override {
    finish({}, std::make_unique<tcp_connection>(tcp_stream::make(std::move(socket))));
  }
};

}  // namespace

tcp_connector::tcp_connector(tcp_options options) : options_(std::move(options)) {
  detail::validate(options_);
}

std::shared_ptr<connect_operation> tcp_connector::open(const connect_request& request,
                                                       handler done) {
  return detail::started(std::make_shared<tcp_opening>(request, options_, std::move(done)));
}

}  // namespace redial
