// SPDX-License-Identifier: Apache-2.0
#pragma once

// Several listeners in the place of one.

#include <redial/core/abi.hpp>
#include <redial/core/events.hpp>

#include <memory>
#include <vector>

namespace redial::inline REDIAL_ABI {

/// Tells every event to each of several listeners, in their order.
///
/// \code
///   options.listener = std::make_shared<redial::listeners>(
///       std::vector<std::shared_ptr<redial::event_listener>>{log, mine});
/// \endcode
///
/// \par Threads As its listeners: it adds no lock and changes nothing once it is made.
/// \par Exceptions A listener that throws keeps no other one from being told; what the first one
///      threw is thrown on afterwards.
class REDIAL_API listeners final : public event_listener {
 public:
  /// Null ones are left out.
  explicit listeners(std::vector<std::shared_ptr<event_listener>> all);

  void on_answer(const answer_event& e) override;
  void on_snapshot(const snapshot_event& e) override;
  void on_endpoint(const endpoint_event& e) override;
  void on_connection(const connection_event& e) override;
  void on_attempt(const attempt_event& e) override;
  void on_reset(const reset_event& e) override;
  void on_panic(const panic_event& e) override;
  void on_checkout_failed(const checkout_event& e) override;
  void on_call(const call_event& e) override;

 private:
  template <class Event>
  void tell(void (event_listener::*what)(const Event&), const Event& e) const;

  std::vector<std::shared_ptr<event_listener>> all_;
};

}  // namespace redial::inline REDIAL_ABI
