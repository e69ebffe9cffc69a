// SPDX-License-Identifier: Apache-2.0
#include <redial/net/identity.hpp>
#include <redial/net/tcp_connection.hpp>

#include "core/option_range.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace redial::inline REDIAL_ABI {

namespace asio = boost::asio;

namespace {

constexpr std::size_t max_text = 4096;
constexpr std::size_t max_until = 64;
constexpr std::size_t longest_reply = std::size_t{64} * 1024;

void validate(const byte_identity& o) {
  const auto check = [](const char* name, std::size_t value, std::size_t low, std::size_t high) {
    detail::check_count("byte_identity", name, value, {low}, {high});
  };
  check("send (its size)", o.send.size(), 0, max_text);
  check("expect (its size)", o.expect.size(), 1, max_text);
  check("until (its size)", o.until.size(), 0, max_until);
  if (o.until.empty()) return;
  check("max_reply", o.max_reply, o.expect.size() + o.until.size(), longest_reply);
}

/// One proof under way; it lives in the handlers of its operations.
class byte_proof : public std::enable_shared_from_this<byte_proof> {
 public:
  byte_proof(byte_identity what, tcp_stream& stream, identity_check::handler done)
      : what_(std::move(what)), stream_(stream), done_(std::move(done)) {}

  void start() {
    if (what_.send.empty()) return read();
    asio::async_write(stream_,
                      asio::buffer(what_.send),
                      [self = shared_from_this()](const error_code& ec, std::size_t) {
                        if (ec) return self->done_(ec);
                        self->read();
                      });
  }

 private:
  void read() {
    stream_.async_read_some(
        asio::buffer(piece_),
        [self = shared_from_this()](const error_code& ec, std::size_t n) { self->on_read(ec, n); });
  }

  void on_read(const error_code& ec, std::size_t n) {
    if (ec == asio::error::eof) return done_(errc::peer_closed);
    if (ec) return done_(ec);
    reply_.append(piece_.data(), n);
    const std::string& expect = what_.expect;
    const std::size_t known = std::min(reply_.size(), expect.size());
    if (reply_.compare(0, known, expect, 0, known) != 0) return done_(errc::identity_mismatch);
    if (known < expect.size()) return read();
    on_expected();
  }

  void on_expected() {
    std::size_t end = what_.expect.size();
    if (!what_.until.empty()) {
      const std::size_t found = reply_.find(what_.until, end);
      if (found == std::string::npos && reply_.size() < what_.max_reply) return read();
      if (found == std::string::npos) return done_(errc::identity_mismatch);
      end = found + what_.until.size();
      if (end > what_.max_reply) return done_(errc::identity_mismatch);
    }
    done_(end == reply_.size() ? error_code() : errc::identity_spent);
  }

  const byte_identity what_;
  tcp_stream& stream_;
  const identity_check::handler done_;
  std::array<char, 1024> piece_{};
  std::string reply_;
};

class byte_check final : public identity_check {
 public:
  explicit byte_check(byte_identity what) : what_(std::move(what)) {}

  void prove(const identity_request& request, handler done) const override {
    std::make_shared<byte_proof>(what_, *request.stream, std::move(done))->start();
  }

 private:
  const byte_identity what_;
};

}  // namespace

std::shared_ptr<const identity_check> expect_bytes(byte_identity what) {
  validate(what);
  return std::make_shared<byte_check>(std::move(what));
}

}  // namespace redial::inline REDIAL_ABI
