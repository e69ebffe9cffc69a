// SPDX-License-Identifier: Apache-2.0
#pragma once

// An Asio stream that counts its bytes and outlives its own operations.

#include <redial/core/abi.hpp>
#include <redial/core/access.hpp>

#include <boost/asio/associator.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/handler_continuation_hook.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {

/// Bytes of one stream. Written bytes count from the moment they are offered, so that nobody reads
/// "nothing was sent" while a write is under way; what turned out not to be sent is taken back.
class REDIAL_API byte_counts {
 public:
  void read(std::size_t n) noexcept { read_.fetch_add(n, std::memory_order_relaxed); }
  void offered(std::size_t n) noexcept { written_.fetch_add(n, std::memory_order_relaxed); }
  void took_back(std::size_t n) noexcept { written_.fetch_sub(n, std::memory_order_relaxed); }

  [[nodiscard]] std::uint64_t bytes_read() const noexcept { return since(read_, read_base_); }
  [[nodiscard]] std::uint64_t bytes_written() const noexcept {
    return since(written_, written_base_) + (unseen_.load(std::memory_order_relaxed) ? 1 : 0);
  }
  /// From now on bytes may be written that nobody counts: never again "nothing was sent".
  void write_unseen() noexcept { unseen_.store(true, std::memory_order_relaxed); }
  void reset() noexcept {
    read_base_ = read_.load(std::memory_order_relaxed);
    written_base_ = written_.load(std::memory_order_relaxed);
  }

 private:
  using counter = std::atomic<std::uint64_t>;
  // Not below zero: a write offered before the reset may be taken back after it.
  static std::uint64_t since(const counter& c, const counter& base) noexcept {
    const std::uint64_t now = c.load(std::memory_order_relaxed);
    const std::uint64_t then = base.load(std::memory_order_relaxed);
    return now > then ? now - then : 0;
  }

  counter read_{0};
  counter written_{0};
  counter read_base_{0};
  counter written_base_{0};
  std::atomic<bool> unseen_{false};
};

/// Completion handler of a read or write: counts, then calls `Handler`. Holds the stream, because
/// Asio's operations refer to it until they complete, also when the connection was dropped.
template <class Handler>
struct counting_handler {
  std::shared_ptr<byte_counts> counts;  // shares ownership of the stream
  Handler handler;
  std::size_t offered;  // of a write
  bool is_write;
  bool exact;  // an error tells how much was written

  void operator()(const boost::system::error_code& ec, std::size_t n) {
    if (!is_write) {
      counts->read(n);
    } else if ((!ec || exact) && n < offered) {
      counts->took_back(offered - n);
    }
    std::move(handler)(ec, n);
  }

  friend bool asio_handler_is_continuation(counting_handler* self) {
    using boost::asio::asio_handler_is_continuation;
    return asio_handler_is_continuation(std::addressof(self->handler));
  }
};

/// `Base` is a socket or a TLS stream, and out of reach: what is written to it would not count, and
/// a call that has reached its peer would be taken for one that may run again. With `ExactErrors`,
/// a failed write tells how many bytes went out; TLS cannot, so there all offered bytes count as
/// sent.
///
/// \par Threads As `Base`: one thread at a time.
/// \par Lifetime Always owned by `shared_ptr`; each pending operation holds one.
template <class Base, bool ExactErrors>
class counted_stream : protected Base,
                       public std::enable_shared_from_this<counted_stream<Base, ExactErrors>> {
 public:
  using Base::get_executor;
  using typename Base::executor_type;
  using typename Base::lowest_layer_type;
  /// Options, addresses, waits. It cannot write.
  using Base::lowest_layer;

  counted_stream(const counted_stream&) = delete;
  counted_stream& operator=(const counted_stream&) = delete;

  /// Bytes delivered by reads since the attempt began.
  [[nodiscard]] std::uint64_t bytes_read() const noexcept { return counts_.bytes_read(); }
  /// Bytes handed to writes since the attempt began; zero means that the peer got nothing.
  [[nodiscard]] std::uint64_t bytes_written() const noexcept { return counts_.bytes_written(); }

  /// Asio's own object, for a library that takes no other. What goes through it is not counted, so
  /// that from now on every attempt on this connection counts as having sent something
  /// (`bytes_written()` is never zero again) and is retried only if it is idempotent. Reads are not
  /// counted there either: `attempt::response_started()` says that an answer has begun.
  [[nodiscard]] Base& uncounted() noexcept {
    counts_.write_unseen();
    return *this;
  }

  template <class Buffers, class Token = boost::asio::default_completion_token_t<executor_type>>
  auto async_read_some(const Buffers& buffers, Token&& token = Token()) {
    return boost::asio::async_initiate<Token, signature>(initiate_read{this}, token, buffers);
  }

  template <class Buffers, class Token = boost::asio::default_completion_token_t<executor_type>>
  auto async_write_some(const Buffers& buffers, Token&& token = Token()) {
    return boost::asio::async_initiate<Token, signature>(initiate_write{this}, token, buffers);
  }

  template <class Buffers>
  std::size_t read_some(const Buffers& buffers, boost::system::error_code& ec) {
    const std::size_t n = Base::read_some(buffers, ec);
    counts_.read(n);
    return n;
  }
  template <class Buffers>
  std::size_t read_some(const Buffers& buffers) {
    return or_throw(&counted_stream::template read_some<Buffers>, buffers);
  }

  template <class Buffers>
  std::size_t write_some(const Buffers& buffers, boost::system::error_code& ec) {
    const std::size_t offered = boost::asio::buffer_size(buffers);
    counts_.offered(offered);
    const std::size_t n = Base::write_some(buffers, ec);
    if ((!ec || ExactErrors) && n < offered) counts_.took_back(offered - n);
    return n;
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers) {
    return or_throw(&counted_stream::template write_some<Buffers>, buffers);
  }

 protected:
  template <class... Args>
  explicit counted_stream(Args&&... args) : Base(std::forward<Args>(args)...) {}
  ~counted_stream() = default;

 private:
  friend struct access;
  [[nodiscard]] Base& base() noexcept { return *this; }
  void reset_counts() noexcept { counts_.reset(); }
  void count_read(std::size_t n) noexcept { counts_.read(n); }

  using signature = void(boost::system::error_code, std::size_t);

  struct initiation {
    counted_stream* self;
    using executor_type = typename Base::executor_type;
    executor_type get_executor() const noexcept { return self->get_executor(); }
  };
  struct initiate_read : initiation {
    template <class Handler, class Buffers>
    void operator()(Handler&& handler, const Buffers& buffers) const {
      this->self->Base::async_read_some(
          buffers, this->self->counting(std::forward<Handler>(handler), 0, false));
    }
  };
  struct initiate_write : initiation {
    template <class Handler, class Buffers>
    void operator()(Handler&& handler, const Buffers& buffers) const {
      const std::size_t offered = boost::asio::buffer_size(buffers);
      auto wrapped = this->self->counting(std::forward<Handler>(handler), offered, true);
      this->self->counts_.offered(offered);
      this->self->Base::async_write_some(buffers, std::move(wrapped));
    }
  };

  template <class Handler>
  auto counting(Handler&& handler, std::size_t offered, bool is_write) {
    return counting_handler<std::decay_t<Handler>>{
        std::shared_ptr<byte_counts>(this->shared_from_this(), &counts_),
        std::forward<Handler>(handler),
        offered,
        is_write,
        ExactErrors};
  }

  template <class Buffers>
  std::size_t or_throw(std::size_t (counted_stream::*f)(const Buffers&, boost::system::error_code&),
                       const Buffers& buffers) {
    boost::system::error_code ec;
    const std::size_t n = (this->*f)(buffers, ec);
    if (ec) throw boost::system::system_error(ec);
    return n;
  }

  byte_counts counts_;
};

}  // namespace redial::inline REDIAL_ABI::detail

/// Executor, allocator and cancellation slot are those of the wrapped handler.
template <template <class, class> class Associator, class Handler, class Default>
struct boost::asio::associator<Associator, redial::detail::counting_handler<Handler>, Default>
    : Associator<Handler, Default> {
  static auto get(const redial::detail::counting_handler<Handler>& h) noexcept {
    return Associator<Handler, Default>::get(h.handler);
  }
  static auto get(const redial::detail::counting_handler<Handler>& h, const Default& d) noexcept
      -> decltype(Associator<Handler, Default>::get(h.handler, d)) {
    return Associator<Handler, Default>::get(h.handler, d);
  }
};
