// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as the response to a question for `api.test`. The first byte chooses its type.
#include "answer_promises.hpp"
#include "dns/answer_check.hpp"

#include <vector>

namespace {

using namespace redial;
using bytes = std::span<const std::uint8_t>;

question choose(std::uint8_t selector) {
  constexpr record_type types[] = {record_type::a, record_type::aaaa, record_type::srv};
  question q;
  q.name = "api.test";
  q.type = types[selector % std::size(types)];
  return q;
}

bool same_answer(const answer& a, const answer& b) {
  return a.outcome == b.outcome && a.addresses == b.addresses && a.services == b.services &&
         a.ttl == b.ttl && a.error == b.error && a.dropped == b.dropped;
}

// What comes after the message means nothing (fault 14), nor does its id.
void check_indifference(const question& q, bytes message, const answer& got) {
  if (message.size() < 12 || got.outcome == answer_outcome::malformed) return;
  std::vector<std::uint8_t> other(message.begin(), message.end());
  other[0] = static_cast<std::uint8_t>(~other[0]);
  other.insert(other.end(), {0xc0, 0x0c, 0x00});
  fuzz::demand(same_answer(got, detail::check_answer(q, other)), "trailing bytes mean nothing");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const question q = choose(data[0]);
  const bytes message(data + 1, size - 1);
  const answer got = detail::check_answer(q, message);
  fuzz::demand(got.asked == q, "the answer is to the question");
  fuzz::check_promises(got, message.size());
  check_indifference(q, message, got);
  return 0;
}
