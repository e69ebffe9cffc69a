// SPDX-License-Identifier: Apache-2.0
#include "dns/search_source.hpp"

#include <utility>

namespace redial::inline REDIAL_ABI::detail {
namespace {

constexpr std::size_t longest_name = 253;

bool is_negative(const answer& a) noexcept {
  return a.outcome == answer_outcome::name_not_found || a.outcome == answer_outcome::no_data;
}

}  // namespace

// Walks hold it weakly: the source below calls their handlers also after we are gone.
struct search_source::state {
  std::unique_ptr<dns_source> below;
  std::vector<std::string> domains;
};

// One question on its way through the candidates.
class search_source::walk : public std::enable_shared_from_this<walk> {
 public:
  walk(const std::shared_ptr<state>& s, question asked, handler done)
      : state_(s), asked_(std::move(asked)), done_(std::move(done)) {
    for (const auto& domain : s->domains) {
      auto name = asked_.name + "." + domain;
      if (name.size() <= longest_name) candidates_.push_back(std::move(name));
    }
    candidates_.push_back(asked_.name);
  }

  void ask_next(state& s) { ask(s, asked_.type, &walk::on_answer); }

 private:
  void ask(state& s, record_type type, void (walk::*then)(const answer&)) {
    question q;
    q.name = candidates_[next_];
    q.type = type;
    s.below->ask(q, [self = shared_from_this(), then](const answer& a) { ((*self).*then)(a); });
  }

  void on_answer(const answer& a) {
    const auto s = state_.lock();
    const bool last = next_ + 1 == candidates_.size();
    if (!is_negative(a) || last) return deliver(a);
    if (!s) return deliver_closed();
    if (a.outcome == answer_outcome::no_data && asked_.type != record_type::srv) {
      nothing_ = a;
      const bool v4 = asked_.type == record_type::a;
      return ask(*s, v4 ? record_type::aaaa : record_type::a, &walk::on_other_family);
    }
    ++next_;
    ask_next(*s);
  }

  void on_other_family(const answer& other) {
    const auto s = state_.lock();
    if (!is_negative(other)) {
      // With records there: this is the host, it just has none of ours.
      return deliver(other.outcome == answer_outcome::records ? nothing_ : other);
    }
    if (!s) return deliver_closed();
    ++next_;
    ask_next(*s);
  }

  // The search did not end, so a negative answer would say too much.
  void deliver_closed() {
    answer a;
    a.outcome = answer_outcome::closed;
    a.error = make_error_code(errc::closed);
    deliver(std::move(a));
  }

  void deliver(answer a) {
    a.asked = asked_;
    done_(a);
  }

  std::weak_ptr<state> state_;
  question asked_;
  handler done_;
  std::vector<std::string> candidates_;
  std::size_t next_ = 0;
  answer nothing_;
};

search_source::search_source(std::unique_ptr<dns_source> below, std::vector<std::string> domains)
    : state_(std::make_shared<state>()) {
  state_->below = std::move(below);
  state_->domains = std::move(domains);
}

search_source::~search_source() = default;

void search_source::ask(const question& q, handler done) {
  if (q.name.find('.') != std::string::npos) return state_->below->ask(q, std::move(done));
  std::make_shared<walk>(state_, q, std::move(done))->ask_next(*state_);
}

void search_source::close() noexcept { state_->below->close(); }

std::uint64_t search_source::rebuilds() const noexcept { return state_->below->rebuilds(); }

}  // namespace redial::inline REDIAL_ABI::detail
