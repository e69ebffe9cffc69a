// SPDX-License-Identifier: Apache-2.0
#include <redial/testing/dns_server.hpp>

#include <arpa/nameser.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <future>
#include <optional>

namespace redial::inline REDIAL_ABI::testing {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

dns_bytes make_query(std::string_view name, int type, bool edns = false) {
  dns_bytes q{0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(edns)};
  std::size_t label = q.size();
  q.push_back(0);
  for (const char c : name) {
    if (c == '.') {
      label = q.size();
      q.push_back(0);
    } else {
      q.push_back(static_cast<std::uint8_t>(c));
      ++q[label];
    }
  }
  for (const int b : {0, 0, type, 0, 1}) q.push_back(static_cast<std::uint8_t>(b));
  if (edns) {
    for (const int b : {0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 0}) {
      q.push_back(static_cast<std::uint8_t>(b));
    }
  }
  return q;
}

// A client of one datagram at a time.
class udp_client {
 public:
  explicit udp_client(const dns_server& server)
      : to_(asio::ip::address_v4::loopback(), server.port()), socket_(io_, asio::ip::udp::v4()) {
    socket_.connect(to_);
  }

  void send(const dns_bytes& query) { socket_.send(asio::buffer(query)); }

  std::optional<dns_bytes> receive() {
    std::optional<dns_bytes> out;
    socket_.async_receive(asio::buffer(buffer_), [&](boost::system::error_code ec, std::size_t n) {
      if (!ec) out = dns_bytes(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(n));
    });
    io_.restart();
    io_.run_for(30s);
    return out;
  }

  dns_bytes ask(std::string_view name, int type, bool edns = false) {
    send(make_query(name, type, edns));
    return receive().value_or(dns_bytes{});
  }

 private:
  asio::io_context io_;
  asio::ip::udp::endpoint to_;
  asio::ip::udp::socket socket_;
  dns_bytes buffer_ = dns_bytes(65536);
};

dns_bytes ask_tcp(const dns_server& server, std::string_view name, int type) {
  asio::io_context io;
  asio::ip::tcp::socket s{io};
  s.connect({asio::ip::address_v4::loopback(), server.port()});
  auto q = make_query(name, type);
  q.insert(q.begin(), {0, static_cast<std::uint8_t>(q.size())});
  asio::write(s, asio::buffer(q));
  dns_bytes length(2);
  boost::system::error_code ec;
  asio::read(s, asio::buffer(length), ec);
  dns_bytes out((std::size_t{length[0]} << 8) | length[1]);
  const auto got = asio::read(s, asio::buffer(out), ec);
  out.resize(got);
  return out;
}

struct seen {
  int rcode = -1;
  bool truncated = false;
  std::vector<std::string> texts;  // "owner type ttl address"
  int authorities = 0;
  int additional = 0;
};

seen look(const dns_bytes& bytes) {
  seen out;
  ns_msg m;
  if (ns_initparse(bytes.data(), static_cast<int>(bytes.size()), &m) != 0) return out;
  out.rcode = static_cast<int>(ns_msg_getflag(m, ns_f_rcode));
  out.truncated = ns_msg_getflag(m, ns_f_tc) != 0;
  out.authorities = ns_msg_count(m, ns_s_ns);
  out.additional = ns_msg_count(m, ns_s_ar);
  for (int i = 0; i < ns_msg_count(m, ns_s_an); ++i) {
    ns_rr r;
    if (ns_parserr(&m, ns_s_an, i, &r) != 0) return {};
    std::string text = ns_rr_name(r);
    text += " " + std::to_string(ns_rr_type(r)) + " " + std::to_string(ns_rr_ttl(r));
    if (ns_rr_type(r) == ns_t_a) text += " 127.0.0." + std::to_string(ns_rr_rdata(r)[3]);
    out.texts.push_back(text);
  }
  return out;
}

TEST(DnsServer, AnswersWithRecordsAndCounts) {
  dns_server dns;
  dns.set("api.test", record_type::a, {"127.0.0.2", "127.0.0.3"}, 60s);
  dns.set("API.test.", record_type::aaaa, {"::1"}, 5s);
  udp_client client{dns};
  EXPECT_THAT(look(client.ask("api.test", 1)).texts,
              ElementsAre("api.test 1 60 127.0.0.2", "api.test 1 60 127.0.0.3"));
  EXPECT_THAT(look(client.ask("API.TEST", 28)).texts, ElementsAre("API.TEST 28 5"));
  EXPECT_EQ(dns.queries("api.test"), 2u);
  EXPECT_EQ(dns.queries("api.test", record_type::a), 1u);
  EXPECT_EQ(dns.queries("other.test"), 0u);
  ASSERT_THAT(dns.log(), SizeIs(2));
  EXPECT_EQ(dns.log()[1].name, "api.test");
  EXPECT_FALSE(dns.log()[1].tcp);
}

TEST(DnsServer, TellsNoDataFromNoName) {
  dns_server dns;
  dns.set("api.test", record_type::a, {"127.0.0.2"});
  dns.set_soa("test", 900s, 7s);
  udp_client client{dns};
  const auto no_data = look(client.ask("api.test", 28));
  EXPECT_EQ(no_data.rcode, 0);
  EXPECT_EQ(no_data.authorities, 1);
  const auto no_name = look(client.ask("no.test", 1));
  EXPECT_EQ(no_name.rcode, 3);
  EXPECT_EQ(no_name.authorities, 1);
  EXPECT_EQ(look(client.ask("no.example", 1)).authorities, 0);
}

TEST(DnsServer, FollowsAliases) {
  dns_server dns;
  dns.set_cname("www.test", "api.test", 9s);
  dns.set("api.test", record_type::a, {"127.0.0.2"}, 60s);
  udp_client client{dns};
  EXPECT_THAT(look(client.ask("www.test", 1)).texts,
              ElementsAre("www.test 5 9", "api.test 1 60 127.0.0.2"));
  dns.order("www.test", record_type::a, record_order::reversed);
  EXPECT_THAT(look(client.ask("www.test", 1)).texts,
              ElementsAre("api.test 1 60 127.0.0.2", "www.test 5 9"));
}

TEST(DnsServer, FailsUntilSetAgain) {
  dns_server dns;
  dns.set("x.test", record_type::a, {"127.0.0.2"});
  dns.fail("x.test", rcode::servfail);
  udp_client client{dns};
  EXPECT_EQ(look(client.ask("x.test", 1)).rcode, 2);
  dns.set("x.test", record_type::a, {"127.0.0.3"});
  EXPECT_THAT(look(client.ask("x.test", 1)).texts, ElementsAre("x.test 1 60 127.0.0.3"));
  dns.remove("x.test");
  EXPECT_EQ(look(client.ask("x.test", 1)).rcode, 3);
}

TEST(DnsServer, TruncatesOverUdpOnly) {
  dns_server dns;
  dns.set("api.test", record_type::a, {"127.0.0.2", "127.0.0.3"});
  dns_manner truncating;
  truncating.truncate = true;
  dns.behave("api.test", truncating);
  udp_client client{dns};
  const auto over_udp = look(client.ask("api.test", 1));
  EXPECT_TRUE(over_udp.truncated);
  EXPECT_THAT(over_udp.texts, SizeIs(1));
  const auto over_tcp = look(ask_tcp(dns, "api.test", 1));
  EXPECT_FALSE(over_tcp.truncated);
  EXPECT_THAT(over_tcp.texts, SizeIs(2));
  EXPECT_TRUE(dns.log().back().tcp);
}

TEST(DnsServer, HonoursTheSizeThatEdnsAnnounces) {
  dns_server dns;
  std::vector<std::string> many;
  for (int i = 1; i <= 60; ++i) many.push_back("127.0.0." + std::to_string(i));
  dns.set("big.test", record_type::a, many);
  udp_client client{dns};
  EXPECT_TRUE(look(client.ask("big.test", 1)).truncated);
  const auto with_edns = look(client.ask("big.test", 1, true));
  EXPECT_FALSE(with_edns.truncated);
  EXPECT_THAT(with_edns.texts, SizeIs(60));
  EXPECT_EQ(with_edns.additional, 1);
}

TEST(DnsServer, SamplesTheSameWayForTheSameSeed) {
  std::vector<std::vector<std::string>> runs;
  for (int run = 0; run < 2; ++run) {
    dns_server dns;
    std::vector<std::string> many;
    for (int i = 1; i <= 20; ++i) many.push_back("127.0.0." + std::to_string(i));
    dns.set("big.test", record_type::a, many);
    dns.sample("big.test", record_type::a, 8);
    udp_client client{dns};
    auto& all = runs.emplace_back();
    for (int i = 0; i < 5; ++i) {
      const auto texts = look(client.ask("big.test", 1)).texts;
      EXPECT_THAT(texts, SizeIs(8));
      all.insert(all.end(), texts.begin(), texts.end());
    }
  }
  EXPECT_EQ(runs[0], runs[1]);
}

TEST(DnsServer, ChangesOnSchedule) {
  dns_server dns;
  std::promise<void> changed;
  dns.at(1ms, [&](dns_server& s) {
    s.set("api.test", record_type::a, {"127.0.0.9"});
    s.stop();
    s.start();
    changed.set_value();
  });
  ASSERT_EQ(changed.get_future().wait_for(30s), std::future_status::ready);
  udp_client client{dns};
  EXPECT_THAT(look(client.ask("api.test", 1)).texts, ElementsAre("api.test 1 60 127.0.0.9"));
}

TEST(DnsServer, SilenceCountsAndSaysNothing) {
  dns_server dns;
  dns.set("api.test", record_type::a, {"127.0.0.2"});
  dns.silence(true);
  udp_client client{dns};
  client.send(make_query("api.test", 1));
  ASSERT_TRUE(dns.wait_for_queries("api.test", 1));
  dns.silence(false);
  // The answer to this one comes first, so the other was not answered.
  EXPECT_THAT(look(client.ask("other.test", 1)).rcode, 3);
  EXPECT_FALSE(dns.wait_for_queries("api.test", 2, 0s));
}

TEST(DnsServer, DefectsAndCopies) {
  dns_server dns;
  dns.set("api.test", record_type::a, {"127.0.0.2"});
  dns_manner m;
  m.defect = dns_defect::wrong_id;
  m.copies = 2;
  m.trailing = 3;
  m.right_one_follows = true;
  dns.behave("api.test", record_type::a, m);
  udp_client client{dns};
  const auto first = client.ask("api.test", 1);
  const auto second = client.receive().value();
  const auto right = client.receive().value();
  EXPECT_EQ(first, second);
  EXPECT_EQ(first.size(), right.size() + 3);
  EXPECT_NE(first[1], right[1]);
  EXPECT_THAT(look(right).texts, ElementsAre("api.test 1 60 127.0.0.2"));
}

TEST(DnsServer, RawHookMakesTheWholeResponse) {
  dns_server dns;
  dns.raw("api.test", record_type::a, [&](const dns_bytes& query) {
    dns.silence(false);  // the server may be used from a hook
    return dns_bytes(query.begin(), query.begin() + 2);
  });
  udp_client client{dns};
  EXPECT_THAT(client.ask("api.test", 1), ElementsAre(0x12, 0x34));
}

TEST(DnsServer, StopRefusesAndStartTakesTheSamePort) {
  dns_server dns;
  dns.set("api.test", record_type::a, {"127.0.0.2"});
  const auto port = dns.port();
  dns.stop();
  dns.stop();
  EXPECT_ANY_THROW(ask_tcp(dns, "api.test", 1));
  dns.start();
  dns.start();
  EXPECT_EQ(dns.port(), port);
  EXPECT_THAT(look(ask_tcp(dns, "api.test", 1)).texts, SizeIs(1));
}

TEST(DnsServer, TcpManners) {
  dns_server dns;
  dns.set("api.test", record_type::a, {"127.0.0.2"});
  const auto whole = ask_tcp(dns, "api.test", 1);
  dns.tcp(tcp_manner::cut);
  EXPECT_LT(ask_tcp(dns, "api.test", 1).size(), whole.size());
  dns.tcp(tcp_manner::drip);
  EXPECT_EQ(ask_tcp(dns, "api.test", 1), whole);
  dns.tcp(tcp_manner::refuse);
  EXPECT_ANY_THROW(ask_tcp(dns, "api.test", 1));
  dns.tcp(tcp_manner::serve);
  EXPECT_EQ(ask_tcp(dns, "api.test", 1), whole);
}

TEST(DnsServer, RefusesNonsense) {
  dns_server dns;
  EXPECT_THROW(dns.set("x.test", record_type::a, {"::1"}), std::invalid_argument);
  EXPECT_THROW(dns.set("x.test", record_type::aaaa, {"127.0.0.1"}), std::invalid_argument);
  EXPECT_THROW(dns.set("x.test", record_type::a, {"nonsense"}), std::invalid_argument);
  dns_server_options bad;
  bad.address = "nowhere";
  EXPECT_THROW(dns_server{bad}, std::invalid_argument);
  EXPECT_EQ(dns.address(), "127.0.0.1:" + std::to_string(dns.port()));
}

TEST(DnsServer, IgnoresWhatIsNoQuery) {
  dns_server dns;
  dns.set("api.test", record_type::a, {"127.0.0.2"});
  udp_client client{dns};
  auto query = make_query("api.test", 1);
  for (std::size_t size = 0; size < query.size(); ++size) {
    client.send(dns_bytes(query.begin(), query.begin() + static_cast<std::ptrdiff_t>(size)));
  }
  EXPECT_THAT(look(client.ask("api.test", 1)).texts, SizeIs(1));
  EXPECT_EQ(dns.queries(), 1u);
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
