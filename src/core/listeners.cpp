// SPDX-License-Identifier: Apache-2.0
#include <redial/core/listeners.hpp>

#include <exception>
#include <utility>

namespace redial::inline REDIAL_ABI {

listeners::listeners(std::vector<std::shared_ptr<event_listener>> all) : all_(std::move(all)) {
  std::erase(all_, nullptr);
}

template <class Event>
void listeners::tell(void (event_listener::*what)(const Event&), const Event& e) const {
  std::exception_ptr first;
  for (const auto& one : all_) {
    try {
      ((*one).*what)(e);
    } catch (...) {
      if (!first) first = std::current_exception();
    }
  }
  if (first) std::rethrow_exception(first);
}

void listeners::on_answer(const answer_event& e) { tell(&event_listener::on_answer, e); }
void listeners::on_snapshot(const snapshot_event& e) { tell(&event_listener::on_snapshot, e); }
void listeners::on_endpoint(const endpoint_event& e) { tell(&event_listener::on_endpoint, e); }
void listeners::on_connection(const connection_event& e) {
  tell(&event_listener::on_connection, e);
}
void listeners::on_attempt(const attempt_event& e) { tell(&event_listener::on_attempt, e); }
void listeners::on_reset(const reset_event& e) { tell(&event_listener::on_reset, e); }
void listeners::on_panic(const panic_event& e) { tell(&event_listener::on_panic, e); }
void listeners::on_checkout_failed(const checkout_event& e) {
  tell(&event_listener::on_checkout_failed, e);
}
void listeners::on_call(const call_event& e) { tell(&event_listener::on_call, e); }

}  // namespace redial::inline REDIAL_ABI
