// SPDX-License-Identifier: Apache-2.0
#pragma once

// A connector whose peers do what a test tells them, and that counts like a turnstile.

#include <redial/core/abi.hpp>
#include <redial/core/endpoint.hpp>
#include <redial/core/error.hpp>
#include <redial/core/time.hpp>
#include <redial/ports/connector.hpp>
#include <redial/ports/scheduler.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {

class simulation;

/// How opening a connection goes.
struct connect_behaviour {
  connect_behaviour() = default;
  /// Until it is open or has failed. Zero: posted at once.
  duration latency{};
  /// Clear: it opens.
  error_code error;
  /// It neither opens nor fails until it is cancelled.
  bool never = false;
  /// Cancelling changes nothing: what was on its way still comes.
  bool ignores_cancel = false;
  /// Its connections can tell that their peer did something (`watch_idle`).
  bool can_watch = true;
};

/// Of one endpoint, or of all.
struct connect_counts {
  connect_counts() = default;
  std::size_t asked = 0;      ///< Calls of `open`.
  std::size_t opening = 0;    ///< Of those, not finished yet.
  std::size_t opened = 0;     ///< Connections that were ever open.
  std::size_t open = 0;       ///< Open now.
  std::size_t failed = 0;     ///< Attempts that failed by themselves.
  std::size_t cancelled = 0;  ///< Attempts that ended by `cancel()`.

  /// Connections that are open no more.
  [[nodiscard]] std::size_t closed() const noexcept { return opened - open; }
  friend bool operator==(const connect_counts&, const connect_counts&) = default;
};

/// All of them in one line.
[[nodiscard]] REDIAL_API std::string to_string(const connect_counts& c);
/// As `to_string`; for GoogleTest.
REDIAL_API std::ostream& operator<<(std::ostream& out, const connect_counts& c);

/// The far end of one scripted connection, in the hands of the test.
///
/// \par Threads Safe from any thread.
class REDIAL_API scripted_peer {
 public:
  /// The connector's own.
  scripted_peer(endpoint where, std::uint64_t number, bool can_watch);

  /// Where it stands.
  [[nodiscard]] const endpoint& where() const noexcept { return where_; }
  /// From 1, in the order of opening, over all endpoints.
  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
  /// Neither end has closed it.
  [[nodiscard]] bool is_open() const;
  /// The pool waits for a notice of this connection.
  [[nodiscard]] bool is_watched() const;

  /// Closes its end: not quiet any more, and whoever watches is told.
  void hang_up();
  /// Sends something nobody asked for: as `hang_up`, but for the reason.
  void send_unasked();
  /// Something arrives that leaves the connection as good as before (a TLS session ticket).
  void stir();
  /// Not quiet any more, and nobody is told.
  void break_silently();

 private:
  friend class scripted_connection;
  struct state;
  const endpoint where_;
  const std::uint64_t number_;
  std::shared_ptr<state> state_;
};

/// What the connector opens.
class REDIAL_API scripted_connection final : public pooled_connection {
 public:
  /// The connector's own.
  scripted_connection(std::shared_ptr<scripted_peer> peer,
                      boost::asio::any_io_executor executor,
                      std::function<void()> on_close);
  /// As `close()`.
  ~scripted_connection() override;

  /// Its far end.
  [[nodiscard]] scripted_peer& peer() const noexcept { return *peer_; }

  void close() noexcept override;
  [[nodiscard]] bool quiet() noexcept override;
  [[nodiscard]] close_reason unquiet_reason() const noexcept override;
  bool watch_idle(std::weak_ptr<idle_observer> observer) override;
  [[nodiscard]] boost::asio::any_io_executor get_executor() const override { return executor_; }

 private:
  std::shared_ptr<scripted_peer> peer_;
  boost::asio::any_io_executor executor_;
  std::function<void()> on_close_;
};

/// Opens `scripted_connection`s. An endpoint without a behaviour of its own opens at once.
///
/// \code
///   auto net = std::make_shared<scripted_connector>(sim);
///   net->refuse(a);                         // connection refused, from now on
///   net->next(b, slow);                     // only the next one
///   EXPECT_EQ(net->counts(b).open, 2U);
///   net->peers(b).front()->hang_up();
/// \endcode
///
/// \par Threads Safe from any thread. Handlers are posted to the request's executor, or to the
///      connector's when the request names none.
class REDIAL_API scripted_connector final : public connector {
 public:
  /// On the executor and the clock of `sim`.
  explicit scripted_connector(simulation& sim);
  /// On an executor and a clock of one's own.
  scripted_connector(boost::asio::any_io_executor executor, std::shared_ptr<scheduler> time);
  /// Ends what is being opened as if cancelled. Connections may live on.
  ~scripted_connector() override;
  scripted_connector(const scripted_connector&) = delete;
  scripted_connector& operator=(const scripted_connector&) = delete;

  /// From now on, for an endpoint; and for all without a behaviour of their own.
  void behave(const endpoint& where, const connect_behaviour& how);
  /// For all endpoints without a behaviour of their own.
  void behave(const connect_behaviour& how);
  /// For the next attempt only; several queue up.
  void next(const endpoint& where, const connect_behaviour& how);

  /// Short for the usual behaviours.
  void accept(const endpoint& where, duration latency = {});
  /// Connection refused.
  void refuse(const endpoint& where, duration latency = {});
  /// Any other error.
  void fail(const endpoint& where, error_code error, duration latency = {});
  /// Neither opens nor fails.
  void hang(const endpoint& where);

  std::shared_ptr<connect_operation> open(const connect_request& request, handler done) override;

  /// Of one endpoint.
  [[nodiscard]] connect_counts counts(const endpoint& where) const;
  /// Of all endpoints.
  [[nodiscard]] connect_counts counts() const;
  /// Where attempts went, in order.
  [[nodiscard]] std::vector<endpoint> attempts() const;
  /// The far ends of the connections open now, oldest first.
  [[nodiscard]] std::vector<std::shared_ptr<scripted_peer>> peers(const endpoint& where) const;
  /// The same of all endpoints.
  [[nodiscard]] std::vector<std::shared_ptr<scripted_peer>> peers() const;
  /// Closes the far end of every open connection to `where`.
  void hang_up(const endpoint& where);

 private:
  struct state;
  class attempt;
  std::shared_ptr<state> state_;
};

}  // namespace redial::inline REDIAL_ABI::testing
