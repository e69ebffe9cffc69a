// SPDX-License-Identifier: Apache-2.0

// Steps: write the request -> read a head -> (interim: read another head) -> read the body ->
// judge.
//
// A peer may answer before it has read all of the request, and close: the answer then says more
// than the failed write. So after a write that the peer broke off, a head is read all the same.

#include "http/exchange.hpp"

#include <redial/net/tcp_connection.hpp>
#include <redial/net/tls_connection.hpp>

#include "client/failure_class.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include <cstddef>
#include <utility>

namespace redial::detail {

namespace http = boost::beast::http;

namespace {

template <class Stream>
struct exchange {
  enum class stage { writing, reading_head, reading_body };

  Stream& stream;
  std::shared_ptr<http_call> call;
  attempt& view;
  response_reader reader;
  operation_handler done;
  stage at = stage::writing;
  error_code write_error{};
};

// The handler of each read and write; owns the exchange, so that whoever drops the handler ends it.
template <class Stream>
class exchange_step {
 public:
  explicit exchange_step(std::unique_ptr<exchange<Stream>> x) : x_(std::move(x)) {}

  using executor_type = boost::asio::any_io_executor;
  [[nodiscard]] executor_type get_executor() const noexcept { return x_->done.get_executor(); }
  using cancellation_slot_type = boost::asio::cancellation_slot;
  [[nodiscard]] cancellation_slot_type get_cancellation_slot() const noexcept {
    return x_->done.get_cancellation_slot();
  }

  void write() {
    auto& x = *x_;
    http::async_write(x.stream, x.call->message(), std::move(*this));
  }

  void operator()(error_code ec, std::size_t) {
    switch (x_->at) {
      case exchange<Stream>::stage::writing:
        return on_written(ec);
      case exchange<Stream>::stage::reading_head:
        return on_head(ec);
      case exchange<Stream>::stage::reading_body:
        return on_body(ec);
    }
  }

 private:
  void on_written(error_code ec) {
    if (ec && !(is_closed_by_peer(ec) && x_->stream.bytes_written() > 0)) return finish(ec);
    x_->write_error = ec;
    read_head();
  }

  void read_head() {
    auto& x = *x_;
    x.at = exchange<Stream>::stage::reading_head;
    http::async_read_header(x.stream, x.reader.buffer(), x.reader.parser(), std::move(*this));
  }

  void on_head(error_code ec) {
    if (ec) return fail_read(ec);
    switch (x_->reader.on_head()) {
      case response_reader::head::interim:
        return read_head();
      case response_reader::head::refused:
        return finish(x_->reader.error());
      case response_reader::head::complete:
        return deliver();
      case response_reader::head::body_follows:
        break;
    }
    auto& x = *x_;
    x.at = exchange<Stream>::stage::reading_body;
    http::async_read(x.stream, x.reader.buffer(), x.reader.parser(), std::move(*this));
  }

  void on_body(error_code ec) {
    if (ec) return fail_read(ec);
    deliver();
  }

  void fail_read(error_code ec) {
    const bool received = x_->stream.bytes_read() > 0;
    if (x_->write_error && !received) return finish(x_->write_error);
    finish(x_->reader.meaning_of_error(ec, received));
  }

  void deliver() {
    auto& x = *x_;
    const bool reusable = may_reuse(x.reader.end(!x.write_error));
    http_response response = x.reader.take();
    const unsigned status = response.status;
    const auto meaning = meaning_of(status, x.call->idempotent());
    x.call->keep(x.view.number(), std::move(response), meaning == response_meaning::final);
    switch (meaning) {
      case response_meaning::final:
        if (!reusable) {
          x.view.spent();
        } else if (is_unwell(status)) {
          x.view.unwell();
        }
        return finish({});
      case response_meaning::unavailable:
        return finish(errc::unavailable_status);
      case response_meaning::misdirected:
        x.view.moved();
        return finish(errc::misdirected_status);
    }
  }

  void finish(error_code ec) {
    // Gone before the handler is called: the call may end with it.
    operation_handler done = std::move(x_->done);
    x_.reset();
    done(ec);
  }

  std::unique_ptr<exchange<Stream>> x_;
};

}  // namespace

void start_exchange(std::shared_ptr<http_call> call,
                    const response_limits& limits,
                    attempt& a,
                    net_connection& connection,
                    operation_handler done) {
  // The pool watches only what has rested for a while, and what came since the last response is
  // none of ours to read. Nothing has been sent, so any request may go elsewhere.
  if (a.is_reused() && !connection.quiet()) return done(errc::peer_closed);
  connection.visit([&](auto& stream) {
    using stream_type = std::remove_reference_t<decltype(stream)>;
    const bool to_head = call->request().method == "HEAD";
    auto x = std::unique_ptr<exchange<stream_type>>(new exchange<stream_type>{
        stream, std::move(call), a, response_reader(limits, to_head), std::move(done)});
    exchange_step<stream_type>(std::move(x)).write();
  });
}

}  // namespace redial::detail
