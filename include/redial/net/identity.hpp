// SPDX-License-Identifier: Apache-2.0
#pragma once

// Proof of who answers on a plaintext connection, before anybody uses it.

#include <redial/core/abi.hpp>
#include <redial/core/endpoint.hpp>
#include <redial/core/error.hpp>
#include <redial/core/time.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace redial::inline REDIAL_ABI {

class tcp_stream;

/// What an identity check is asked to prove.
struct identity_request {
  identity_request() = default;

  /// Never null. Connected to `where`, and used by nobody else.
  tcp_stream* stream = nullptr;
  endpoint where;  ///< Whom the stream leads to.
  /// When the connect has failed: `connect_request::deadline`, by the clock of the stream's
  /// executor.
  time_point deadline{};
};

/// Asks whoever answers on a new connection for something that only the right service says. An
/// address that is used again may belong to a stranger who listens on the same port.
///
/// `tcp_options::identity` takes one; `expect_bytes` and `expect_http` make the usual ones.
///
/// \par Threads `prove` is called from many threads at once, once per new connection.
class REDIAL_API identity_check {
 public:
  /// To be called once:
  ///  - clear: proven, and the connection is as clean as a new one: nothing is left to read;
  ///  - `errc::identity_mismatch`: the answer is somebody else's. The endpoint is quarantined;
  ///  - any other error: nothing was proven (`errc::peer_closed`, `errc::unavailable_status`, what
  ///    the system said). It counts as a failed connect.
  using handler = std::function<void(error_code)>;

  virtual ~identity_check() = default;

  /// Talks on the stream and calls `done`, from any thread, inside this function or later. When the
  /// deadline comes first, the stream is closed, the connect has failed, and the call means nothing
  /// any more. A `done` that is destroyed uncalled
  /// fails the connect with `errc::abandoned`, and so does an exception, which passes on to who
  /// runs the executor.
  ///
  /// \par Threads  On the strand of the stream.
  /// \par Lifetime `*request.stream` is valid while a copy of `done` exists and until it is called;
  /// nothing
  ///      may be pending on it by then. Keep copies in the handlers of operations on it only: these
  ///      end with its execution context.
  virtual void prove(const identity_request& request, handler done) const = 0;
};

/// A question and the bytes that answer it.
struct byte_identity {
  byte_identity() = default;

  /// Sent first. Empty: the peer speaks first. Up to 4096 bytes.
  std::string send;
  /// What the answer is, or how it begins when there is an `until`. 1 to 4096 bytes.
  std::string expect;
  /// The answer goes on after `expect` and ends with this, e.g. "\r\n". Empty: it is `expect`. Up
  /// to 64 bytes.
  std::string until;
  /// Longest answer with an `until`. From the size of `expect` and `until` together to 64 KiB.
  std::size_t max_reply = 4096;
};

/// The first byte that differs is a mismatch, and so is an answer over `max_reply`. A peer that
/// closes before its answer is complete is `errc::peer_closed` and no mismatch: our own servers do
/// that too, when they restart or have no room, and a quarantine would then drop connections that
/// are proven. Bytes after the answer are `errc::identity_spent`.
///
/// \throws std::invalid_argument naming the option.
[[nodiscard]] REDIAL_API std::shared_ptr<const identity_check> expect_bytes(byte_identity what);

/// A `GET` and what its response must say.
struct http_identity {
  http_identity() = default;

  /// Begins with "/"; printable ASCII without spaces.
  std::string path = "/";
  /// The Host header. Empty: the address and the port.
  std::string host;
  /// 200 to 599.
  unsigned status = 200;
  /// A field that must be there, case-insensitive, and its exact value. Empty: none is asked for.
  std::string header;
  std::string header_value;  ///< Only with a `header`.
  /// Text that the body must hold. Empty: any body.
  std::string body_contains;
  /// Longest body: 0 to 1 MiB. Its header may have 16 KiB.
  std::size_t max_body = std::size_t{64} * 1024;
};

/// A response that says something else, and bytes that are no response, are a mismatch. These are
/// not:
///  - 502, 503 and 504, unless asked for: `errc::unavailable_status`. Who is not ready proves
///    nothing, and a proxy may say it for anybody;
///  - a peer that closes before the response is complete: `errc::peer_closed`, as `expect_bytes`;
///  - the right response on a connection that ends with it (`Connection: close`, HTTP/1.0, a body
///    without a length or over `max_body` that nobody asked about): `errc::identity_spent`.
///    A proof speaks for its own connection only, so the service has to keep this one open.
///
/// \throws std::invalid_argument naming the option.
[[nodiscard]] REDIAL_API std::shared_ptr<const identity_check> expect_http(http_identity what);

}  // namespace redial::inline REDIAL_ABI
