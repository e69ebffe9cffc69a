// SPDX-License-Identifier: Apache-2.0
//
// Right answers at the wrong time or from the wrong place.
#include "fault_row.hpp"
#include "fault_world.hpp"
#include "wire.hpp"

#include <boost/asio/ip/udp.hpp>

#include <atomic>

namespace redial::inline REDIAL_ABI::testing {
namespace {

namespace asio = boost::asio;
using asio::ip::udp;

// The kernel hands a connected UDP socket only what its peer sent: neither another port of the same
// address nor another address with the same port gets through.
void other_source() {
  fault_world w;
  set_good(w.dns);
  asio::io_context unused;
  udp::socket other_port(unused, udp::endpoint{asio::ip::address_v4::loopback(), 0});
  udp::socket other_address(unused,
                            udp::endpoint{asio::ip::make_address_v4("127.0.0.7"), w.dns.port()});
  std::atomic<int> sent = 0;
  const auto hook = [&](const dns_bytes& query) {
    const auto forged = evil_response(query);
    const udp::endpoint victim{asio::ip::address_v4::loopback(), w.dns.log().back().source_port};
    other_port.send_to(asio::buffer(forged), victim);
    other_address.send_to(asio::buffer(forged), victim);
    ++sent;
    return respond(query, {make_address_record("api.test", ip("127.0.0.2"), 1)});
  };
  w.options.watch.ipv6 = false;
  w.dns.raw("api.test", record_type::a, hook);
  auto& v = w.watch();
  ASSERT_TRUE(v.becomes({"127.0.0.2:80"}));
  ASSERT_TRUE(w.more_answers(10));
  v.expect_always({"127.0.0.2:80"});
  EXPECT_EQ(w.answers->failures(record_type::a), 0u);
  EXPECT_GE(sent, 10);
  w.dns.raw("api.test", record_type::a, nullptr);
}

// What came too late for its question is no answer to the next one for the same name.
void late_reply() {
  fault_world w(100ms);
  w.options.watch.ipv6 = false;
  w.dns.set("api.test", record_type::a, {"127.6.6.6"}, 1s);
  w.dns.set("late.test", record_type::a, {"127.6.6.6"}, 1s);
  dns_manner late;
  late.delay = 400ms;
  w.dns.behave("api.test", late);
  auto& v = w.watch();
  ASSERT_TRUE(w.wait([&] { return w.answers->failures(record_type::a) >= 2; }));
  // From here on the answer is another one, so whoever hears the old one heard it late. When the
  // second name's answer could be there, all late ones of the first are.
  w.dns.set("api.test", record_type::a, {"127.0.0.2"}, 1s);
  w.dns.behave("api.test", dns_manner{});
  ASSERT_TRUE(v.becomes({"127.0.0.2:80"}));
  w.dns.behave("late.test", late);
  (void)w.watch("tcp://late.test:80");
  ASSERT_TRUE(w.wait([&] { return w.answers->count("late.test", record_type::a) >= 4; }));
  ASSERT_TRUE(w.more_answers(5));
  v.expect_only({"127.0.0.2:80"});
  // Each question had one end.
  EXPECT_LE(w.answers->all.size(), w.names()->counters().queries);
}

void duplicate_reply() {
  fault_world w;
  w.options.watch.ipv6 = false;
  w.dns.set("api.test", record_type::a, {"127.0.0.2"}, 1s);
  dns_manner twice;
  twice.copies = 3;
  w.dns.behave("api.test", twice);
  auto& v = w.watch();
  ASSERT_TRUE(w.more_answers(10));
  v.expect_always({"127.0.0.2:80"});
  EXPECT_EQ(w.answers->failures(record_type::a), 0u);
  EXPECT_LE(w.answers->all.size(), w.names()->counters().queries);
  EXPECT_EQ(w.names()->counters().answers, w.answers->all.size());
}

}  // namespace

std::vector<fault_row> reply_rows() {
  return {
      {58, "reply_from_another_source", other_source, "the kernel's doing: connected UDP sockets"},
      {59, "reply_after_our_deadline", late_reply},
      {60, "reply_sent_three_times", duplicate_reply},
  };
}

}  // namespace redial::inline REDIAL_ABI::testing
