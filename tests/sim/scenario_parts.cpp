// SPDX-License-Identifier: Apache-2.0
#include "scenario_parts.hpp"

#include <utility>

namespace redial::inline REDIAL_ABI::testing {

using namespace std::chrono_literals;

// Knows whether the pool has given it up before it was over.
class witnessed_connector::operation final : public connect_operation {
 public:
  explicit operation(std::shared_ptr<memory> m) : memory_(std::move(m)) {}

  void cancel() noexcept override {
    if (!over && !std::exchange(given_up_, true)) ++memory_->abandoned;
    if (inner) inner->cancel();
  }
  void end() noexcept {
    if (!std::exchange(over, true) && given_up_) --memory_->abandoned;
  }

  bool over = false;
  std::shared_ptr<connect_operation> inner;

 private:
  std::shared_ptr<memory> memory_;
  bool given_up_ = false;
};

witnessed_connector::witnessed_connector(simulation& sim)
    : sim_(sim), inner_(std::make_shared<scripted_connector>(sim)) {}

std::shared_ptr<connect_operation> witnessed_connector::open(const connect_request& request,
                                                             handler done) {
  auto op = std::make_shared<operation>(memory_);
  auto seen = [op, memory = memory_, &sim = sim_, where = request.where, done = std::move(done)](
                  error_code ec, std::unique_ptr<pooled_connection> c) {
    op->end();
    if (c) {
      const auto number = static_cast<scripted_connection&>(*c).peer().number();
      memory->given[number] = sim.now();
    } else if (ec == errc::identity_mismatch) {
      memory->strangers[where] = sim.now();
    }
    if (ec) memory->failures[where] = sim.now();
    done(ec, std::move(c));
  };
  op->inner = inner_->open(request, std::move(seen));
  return op;
}

time_point witnessed_connector::given_at(std::uint64_t number) const {
  const auto found = memory_->given.find(number);
  return found == memory_->given.end() ? time_point::min() : found->second;
}

std::size_t witnessed_connector::alive() const {
  const auto counts = inner_->counts();
  return counts.open + counts.opening - memory_->abandoned;
}

time_point witnessed_connector::stranger_at(const endpoint& where) const {
  const auto found = memory_->strangers.find(where);
  return found == memory_->strangers.end() ? time_point::min() : found->second;
}

time_point witnessed_connector::failed_at(const endpoint& where) const {
  const auto found = memory_->failures.find(where);
  return found == memory_->failures.end() ? time_point::min() : found->second;
}

void witnessed_probe::check(const probe_request& request, handler done) {
  const endpoint where = request.where;
  const probe_answer said = says_(where);
  if (said == probe_answer::silent) return;
  auto passed = passed_;
  sim_.after(2ms,
             [c = request.connection, done = std::move(done), said, where, passed, &sim = sim_] {
               if (said != probe_answer::well) return done(errc::unavailable_status);
               (*passed)[where] = sim.now();
               done({});
             });
}

time_point witnessed_probe::passed_at(const endpoint& where) const {
  const auto found = passed_->find(where);
  return found == passed_->end() ? time_point::min() : found->second;
}

// A name that does not exist has no addresses of the other family either; one without IPv6 may.
void answer_witness::on_answer(const answer_event& e) {
  const answer& a = e.received;
  auto& listed = listed_[a.asked.name];
  if (a.outcome == answer_outcome::name_not_found) return listed.clear();
  if (a.asked.type != record_type::a || !is_definite(a.outcome)) return;
  std::map<address, time_point> next;
  for (const address& one : a.addresses) {
    const auto before = listed.find(one);
    next.emplace(one, before == listed.end() ? sim_.now() : before->second);
  }
  listed = std::move(next);
}

time_point answer_witness::listed_since(const std::string& name, const address& a) const {
  const auto of = listed_.find(name);
  if (of == listed_.end()) return time_point::max();
  const auto found = of->second.find(a);
  return found == of->second.end() ? time_point::max() : found->second;
}

void witness::on_endpoint(const endpoint_event& e) {
  ++changes[e.change];
  const bool out = e.change == endpoint_change::drained || e.change == endpoint_change::ejected ||
                   e.change == endpoint_change::quarantined;
  if (out) out_[e.where] = sim_.now();
  if (out && e.change != endpoint_change::drained) ill_[e.where] = sim_.now();
}

void witness::on_panic(const panic_event& e) {
  if (e.begun) {
    ++panics;
  } else {
    panic_over_ = sim_.now();
  }
}

bool witness::went_out_now(const endpoint& where) const {
  if (panic_over_ == sim_.now()) return true;
  const auto found = out_.find(where);
  return found != out_.end() && found->second == sim_.now();
}

}  // namespace redial::inline REDIAL_ABI::testing
