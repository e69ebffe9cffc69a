// SPDX-License-Identifier: Apache-2.0
#pragma once

// A caller's completion handler, held until there is something to tell. Knows the scars of
// Boost 1.81's any_completion_handler, so that nothing else has to.

#include <redial/core/abi.hpp>

#include <boost/asio/any_completion_executor.hpp>
#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/associator.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/prepend.hpp>
#include <boost/assert.hpp>

#include <type_traits>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {

template <class Signature>
class completion;

template <class Handler, class Completion>
concept handler_for_completion = !std::is_same_v<std::decay_t<Handler>, Completion>;

/// Clears the handler's cancellation slot, then calls it. Runs where the handler does.
template <class Handler>
struct last_leg {
  Handler handler;

  template <class... Args>
  void operator()(Args&&... args) {
    boost::asio::get_associated_cancellation_slot(handler).clear();
    std::move(handler)(std::forward<Args>(args)...);
  }
};

/// A move-only wrapper of one handler of signature `void(Args...)`. It is called at most once, and
/// only through `post`, so never inline. Dropping it destroys the handler without calling it.
template <class... Args>
class completion<void(Args...)> {
 public:
  completion() = default;

  template <handler_for_completion<completion> Handler>
  explicit completion(Handler&& handler) : handler_(std::forward<Handler>(handler)) {}

  /// Also keeps the handler's own executor from running out of work while the operation is pending,
  /// as Asio requires of every operation. Nothing is kept when that executor is `io`: there the
  /// operation's own timers and sockets are the work, and `io` may be destroyed first.
  template <handler_for_completion<completion> Handler>
  completion(Handler&& handler, const boost::asio::any_io_executor& io)
      : at_home_(is_at_home(handler, io)),
        work_(at_home_ ? executor() : work_of(handler, io)),
        handler_(std::forward<Handler>(handler)) {}

  completion(completion&&) noexcept = default;
  completion& operator=(completion&& other) noexcept {
    completion taken(std::move(other));
    // By swap: the handler's own move assignment in Boost 1.81 calls itself until the stack is
    // gone.
    handler_.swap(taken.handler_);
    std::swap(work_, taken.work_);
    std::swap(at_home_, taken.at_home_);
    return *this;
  }
  ~completion() = default;

  explicit operator bool() const noexcept { return static_cast<bool>(handler_); }

  /// Where the caller's cancellation arrives; unconnected when there is no handler. Before
  /// Boost 1.84 an empty handler must not be asked.
  [[nodiscard]] boost::asio::cancellation_slot slot() const noexcept {
    return handler_ ? boost::asio::get_associated_cancellation_slot(handler_)
                    : boost::asio::cancellation_slot{};
  }

  /// Calls the handler with `args` on its own executor, or on `io` when it names none; never from
  /// inside this call. The cancellation slot is cleared there, right before: only on the handler's
  /// executor is that safe from a signal that is being emitted. A signal emitted until then finds
  /// whatever the operation has put into the slot, which must know that it is over.
  ///
  /// Goes by way of `io` in any case, because the handler's erased executor cannot promise never to
  /// block. `io` is the one given at construction, if one was.
  void post(const boost::asio::any_io_executor& io, Args... args) && {
    BOOST_ASSERT_MSG(handler_, "a handler completes once");
    completion spent(std::move(*this));  // keeps the work until the handler is queued
    last_leg<erased> leg{std::move(spent.handler_)};
    if (spent.at_home_) {  // a lambda names no executor, so that nobody looks for another way
      boost::asio::post(io, [leg = std::move(leg), ... args = std::move(args)]() mutable {
        leg(std::move(args)...);
      });
    } else {
      boost::asio::post(io, boost::asio::prepend(std::move(leg), std::move(args)...));
    }
  }

 private:
  using erased = boost::asio::any_completion_handler<void(Args...)>;

  // Of the type that every handler can name its executor in, also an erased one.
  using executor = boost::asio::any_completion_executor;

  /// Does the handler run on `io` anyway? Asked without erasing more than there is, since every
  /// call asks.
  template <class Handler>
  static bool is_at_home(const Handler& handler, const boost::asio::any_io_executor& io) noexcept {
    using boost::asio::any_io_executor;
    using own = boost::asio::associated_executor_t<Handler, any_io_executor>;
    if constexpr (std::is_same_v<own, any_io_executor>) {
      return io && boost::asio::get_associated_executor(handler, io) == io;
    } else {
      return false;
    }
  }

  template <class Handler>
  static executor work_of(const Handler& handler, const boost::asio::any_io_executor& io) {
    if (!io) return {};  // its context is gone; Boost 1.81 leaks a copy of an empty executor
    const executor ours(io);
    const executor own = boost::asio::get_associated_executor(handler, ours);
    if (own == ours) return {};
    return boost::asio::prefer(own, boost::asio::execution::outstanding_work.tracked);
  }

  bool at_home_ = false;
  executor work_;  // above the handler: it outlives what may still use it
  erased handler_;
};

}  // namespace redial::inline REDIAL_ABI::detail

template <template <typename, typename> class Associator, class Handler, class Fallback>
struct boost::asio::associator<Associator, redial::detail::last_leg<Handler>, Fallback>
    : Associator<Handler, Fallback> {
  static auto get(const redial::detail::last_leg<Handler>& h) noexcept {
    return Associator<Handler, Fallback>::get(h.handler);
  }
  static auto get(const redial::detail::last_leg<Handler>& h, const Fallback& otherwise) noexcept {
    return Associator<Handler, Fallback>::get(h.handler, otherwise);
  }
};
