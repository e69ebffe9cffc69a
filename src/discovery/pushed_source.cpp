// SPDX-License-Identifier: Apache-2.0
#include <redial/discovery/endpoint_source.hpp>

#include <map>
#include <mutex>
#include <utility>

namespace redial::inline REDIAL_ABI {

namespace {
// Fetched anew at each change anyway. The TTL only has to be shorter than `ttl_cap`'s maximum.
constexpr std::chrono::seconds pushed_ttl{3600};
}  // namespace

struct pushed_source::state {
  explicit state(std::string called) : label(std::move(called)) {}

  const std::string label;
  std::mutex mutex;
  std::map<std::string, source_answer> answers;  // by the target's text
  std::vector<news_handler> listeners;

  // The lock is not held while a listener runs.
  void put(const target& t, source_answer a) {
    std::vector<news_handler> told;
    {
      const std::lock_guard lock(mutex);
      answers[t.text()] = std::move(a);
      told = listeners;
    }
    for (const news_handler& l : told) l(t);
  }
};

pushed_source::pushed_source(std::string label)
    : state_(std::make_unique<state>(std::move(label))) {}
pushed_source::~pushed_source() = default;

void pushed_source::set(const target& t, std::vector<sourced_endpoint> endpoints) {
  source_answer a;
  if (endpoints.empty()) a.outcome = answer_outcome::no_data;
  a.endpoints = std::move(endpoints);
  a.ttl = pushed_ttl;
  state_->put(t, std::move(a));
}

void pushed_source::fail(const target& t, error_code why) {
  source_answer a;
  a.outcome = answer_outcome::server_failure;
  a.error = why;
  state_->put(t, std::move(a));
}

std::string pushed_source::label() const { return state_->label; }

bool pushed_source::serves(const target& t) const {
  const std::lock_guard lock(state_->mutex);
  return state_->answers.contains(t.text());
}

void pushed_source::fetch(const target& t, answer_handler done) {
  source_answer found;
  found.outcome = answer_outcome::name_not_found;
  {
    const std::lock_guard lock(state_->mutex);
    const auto at = state_->answers.find(t.text());
    if (at != state_->answers.end()) found = at->second;
  }
  done(found);
}

void pushed_source::watch(news_handler news) {
  const std::lock_guard lock(state_->mutex);
  state_->listeners.push_back(std::move(news));
}

}  // namespace redial::inline REDIAL_ABI
