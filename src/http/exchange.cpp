// SPDX-License-Identifier: Apache-2.0

// Steps: write the request -> read -> (unfinished: read again) -> judge.
//
// The write is tried at once: a request fits into the socket's buffer nearly always, and a handler
// for a write that is done already costs another turn of the event loop.
//
// A peer may answer before it has read all of the request, and close: the answer then says more
// than the failed write. So after a write that the peer broke off, it is read all the same.

#include "http/exchange.hpp"

#include <redial/net/tcp_connection.hpp>
#include <redial/net/tls_connection.hpp>

#include "client/failure_class.hpp"
#include "client/recycled.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/append.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {

namespace asio = boost::asio;

namespace {

template <class Stream>
struct exchange final : recycled<exchange<Stream>> {
  exchange(Stream& s,
           std::shared_ptr<http_call> c,
           attempt& a,
           operation_handler d,
           const response_limits& limits)
      : stream(s),
        kept(s.shared_from_this()),
        call(std::move(c)),
        view(a),
        done(std::move(d)),
        reader(limits, call->request().method == "HEAD") {}

  Stream& stream;
  std::shared_ptr<const void> kept;  // the stream: what reads from it refers to it
  std::shared_ptr<http_call> call;
  attempt& view;
  operation_handler done;
  response_reader reader;
  bool writing = true;
  error_code write_error{};
};

// Sends what the socket takes without waiting, and leaves the rest in `bytes`.
template <class Bytes>
error_code write_now(tcp_stream& stream, Bytes& bytes) {
  error_code ec;
  if (!stream.non_blocking()) stream.non_blocking(true, ec);  // of no effect on handlers' calls
  if (ec) return ec;
  std::size_t sent = stream.write_some(bytes, ec);
  for (asio::const_buffer& b : bytes) {
    const std::size_t n = std::min(sent, b.size());
    b += n;
    sent -= n;
  }
  return ec == asio::error::would_block || ec == asio::error::try_again ? error_code() : ec;
}

// The handler of each read and write; owns the exchange, so that whoever drops the handler ends it.
// Who gives the exchange up closes the connection, so cancellation needs no way of its own; and it
// names no executor, so that Asio takes the stream's, which is the connection's, without asking
// two.
template <class Stream>
class exchange_step {
 public:
  explicit exchange_step(std::unique_ptr<exchange<Stream>> x) : x_(std::move(x)) {}

  void write() {
    auto& x = *x_;
    auto unsent = x.call->bytes();
    if constexpr (std::is_same_v<Stream, tcp_stream>) {
      const error_code ec = write_now(x.stream, unsent);
      if (ec) {
        // Posted: this may be inside the call that began it all.
        return asio::post(x.stream.get_executor(),
                          asio::append(std::move(*this), ec, std::size_t{0}));
      }
      if (asio::buffer_size(unsent) == 0) return on_written({});
    }
    // TLS would lose what a socket did not take at once.
    asio::async_write(x.stream, unsent, std::move(*this));
  }

  void operator()(error_code ec, std::size_t n) { x_->writing ? on_written(ec) : on_read(ec, n); }

 private:
  void on_written(error_code ec) {
    if (ec && !(is_closed_by_peer(ec) && x_->stream.bytes_written() > 0)) return finish(ec);
    x_->writing = false;
    x_->write_error = ec;
    read();
  }

  void read() {
    auto& x = *x_;
    // Counted in `on_read`: no handler around this one is needed that does.
    access::base(x.stream).async_read_some(x.reader.space(), std::move(*this));
  }

  void on_read(error_code ec, std::size_t n) {
    access::count_read(x_->stream, n);
    if (ec && ec != asio::error::eof) return fail_read(ec);
    switch (ec ? x_->reader.took_end() : x_->reader.took(n)) {
      case response_reader::progress::unfinished:
        return read();
      case response_reader::progress::complete:
        return deliver();
      case response_reader::progress::refused:
        return fail_read(x_->reader.error());
    }
  }

  void fail_read(error_code ec) {
    const bool received = x_->stream.bytes_read() > 0;
    if (x_->write_error && !received) return finish(x_->write_error);
    finish(response_reader::meaning_of_error(ec, received));
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
  if (a.is_reused() && !connection.quiet()) {
    const auto executor = done.get_executor();
    return asio::post(executor, asio::append(std::move(done), error_code(errc::peer_closed)));
  }
  connection.visit([&](auto& stream) {
    using stream_type = std::remove_reference_t<decltype(stream)>;
    auto x = std::make_unique<exchange<stream_type>>(
        stream, std::move(call), a, std::move(done), limits);
    exchange_step<stream_type>(std::move(x)).write();
  });
}

}  // namespace redial::inline REDIAL_ABI::detail
