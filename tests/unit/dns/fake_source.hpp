// SPDX-License-Identifier: Apache-2.0
#pragma once

// A dns_source whose answers a test gives by hand.

#include <redial/ports/dns_source.hpp>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

/// What a fake_source was asked, and what it will say. Outlives it.
struct fake_book {
  std::map<question, answer> answers;  ///< Others: name_not_found.
  std::vector<question> asked;
  std::vector<std::pair<question, dns_source::handler>> open;
  bool closed = false;
  std::uint64_t rebuilds = 0;

  void set(const std::string& name, record_type type, answer_outcome outcome, int ttl = 60) {
    answer a;
    a.outcome = outcome;
    a.ttl = std::chrono::seconds{ttl};
    if (outcome == answer_outcome::records) {
      a.addresses = {parse_address(type == record_type::a ? "10.0.0.1" : "2001:db8::1").value()};
    }
    answers[{name, type}] = a;
  }

  /// Answers all there are, and those that are asked meanwhile.
  void run() {
    while (!open.empty()) {
      auto [q, done] = std::move(open.front());
      open.erase(open.begin());
      answer a;
      a.outcome = answer_outcome::name_not_found;
      if (const auto at = answers.find(q); at != answers.end()) a = at->second;
      if (closed) a.outcome = answer_outcome::closed;
      a.asked = q;
      done(a);
    }
  }

  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& q : asked) {
      out.push_back(q.type == record_type::a ? q.name : q.name + " " + to_string(q.type));
    }
    return out;
  }
};

class fake_source final : public dns_source {
 public:
  explicit fake_source(std::shared_ptr<fake_book> book) : book_(std::move(book)) {}
  ~fake_source() override { book_->closed = true; }

  void ask(const question& q, handler done) override {
    book_->asked.push_back(q);
    book_->open.emplace_back(q, std::move(done));
  }
  void close() noexcept override { book_->closed = true; }
  [[nodiscard]] std::uint64_t rebuilds() const noexcept override { return book_->rebuilds; }

 private:
  std::shared_ptr<fake_book> book_;
};

}  // namespace redial::inline REDIAL_ABI::detail
