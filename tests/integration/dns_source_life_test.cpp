// SPDX-License-Identifier: Apache-2.0
//
// Outages, rebuilt channels, closing and destroying in every state.
#include "support/dns_client.hpp"
#include "support/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <thread>

namespace redial::inline REDIAL_ABI::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::AnyOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using answers_ptr = std::shared_ptr<dns_client::answers>;

class DnsSourceLife : public ::testing::Test {
 protected:
  DnsSourceLife() {
    dns.set("api.test", record_type::a, {"127.0.0.2"}, 60s);
    dns_manner truncating;
    truncating.truncate = true;
    dns.set("long.test", record_type::a, {"127.0.0.3"}, 60s);
    dns.behave("long.test", truncating);
  }

  redial::detail::cares_options options(duration query_timeout = 5s) {
    return options_for({dns.address()}, query_timeout);
  }

  // Questions in every state: on a silent server over UDP, on a mute one over TCP, and waiting.
  std::vector<answers_ptr> ask_in_every_state(dns_client& client) {
    dns.tcp(tcp_manner::mute);
    dns_manner silent;
    silent.drop = true;
    dns.behave("api.test", silent);
    std::vector<answers_ptr> all{client.start("long.test"), client.start("api.test")};
    for (int i = 0; i < 70; ++i) all.push_back(client.start("api.test"));
    const auto both = [&] { return dns.queries("long.test") > 1 && dns.queries("api.test") > 0; };
    EXPECT_TRUE(run_until(client.io(), both));
    return all;
  }

  dns_server dns;
};

TEST_F(DnsSourceLife, Fault82_SilenceEndsInTimeoutsAndARebuild) {
  dns_client client{options(100ms)};
  EXPECT_EQ(client.ask("api.test").outcome, answer_outcome::records);
  dns.silence(true);
  const auto before = open_descriptors();
  for (int i = 0; i < 40; ++i) {
    const auto got = client.ask("api.test");
    EXPECT_EQ(got.outcome, answer_outcome::timeout);
    EXPECT_EQ(got.error, condition::retryable);
  }
  EXPECT_GE(client.source().rebuilds(), 1u);
  // A channel is replaced once a second, after some ten of these questions; versions that use a
  // socket per query hold that many.
  EXPECT_LE(open_descriptors(), before + 20);
  dns.silence(false);
  // Not hurried: this is about coming back, not about how fast.
  answer got;
  for (int i = 0; i < 50 && got.outcome != answer_outcome::records; ++i) {
    got = client.ask("api.test");
  }
  EXPECT_EQ(got.outcome, answer_outcome::records);
}

TEST_F(DnsSourceLife, Fault82_ImpatienceDoesNotPileUpSockets) {
  dns.silence(true);
  auto o = options(10ms);
  o.max_in_flight = 8;
  dns_client client{o};
  const auto before = open_descriptors();
  for (int i = 0; i < 25; ++i) {
    std::vector<answers_ptr> batch;
    for (int k = 0; k < 8; ++k) batch.push_back(client.start("api.test"));
    for (const auto& got : batch) client.wait_for(got);
    // Twice the cap on a channel, and a retired channel beside the current one.
    ASSERT_LE(open_descriptors(), before + 4 * 8);
  }
}

TEST_F(DnsSourceLife, Fault9_FloodOfWrongIdsCostsNoChannel) {
  dns_manner flood;
  flood.defect = dns_defect::wrong_id;
  flood.copies = 2000;
  flood.right_one_follows = true;
  dns.behave("api.test", flood);
  dns_client client{options()};
  const auto flooded = client.start("api.test");
  client.wait_for(flooded);
  EXPECT_EQ(client.source().rebuilds(), 0u);
  dns.behave("api.test", dns_manner{});
  EXPECT_EQ(client.ask("api.test").outcome, answer_outcome::records);
  EXPECT_THAT(*flooded, SizeIs(1));
}

// A stream that is ready again and again looks as if c-ares spun: the channel is given up, and its
// questions are asked again on the next one, once.
TEST_F(DnsSourceLife, Fault21_AStreamThatSpins) {
  std::vector<std::string> many;
  for (int i = 0; i < 1000; ++i) {
    many.push_back("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1));
  }
  dns.set("long.test", record_type::a, many);
  dns.tcp(tcp_manner::spray);
  dns_manner silent;
  silent.drop = true;
  dns.behave("api.test", silent);
  dns_client client{options()};
  const auto beside = client.start("api.test");
  const auto sprayed = client.start("long.test");
  client.wait_for(sprayed);
  client.wait_for(beside);
  RecordProperty("rebuilds", static_cast<int>(client.source().rebuilds()));
  EXPECT_LE(client.source().rebuilds(), 6u);
  dns.tcp(tcp_manner::serve);
  EXPECT_EQ(client.ask("long.test").outcome, answer_outcome::records);
  EXPECT_THAT(*sprayed, SizeIs(1));
  EXPECT_THAT(*beside, SizeIs(1));
}

TEST_F(DnsSourceLife, Fault84_StoppedServerIsRefusedAndComesBack) {
  dns_client client{options()};
  EXPECT_EQ(client.ask("api.test").outcome, answer_outcome::records);
  dns.stop();
  const auto got = client.ask("api.test");
  EXPECT_THAT(got.outcome, AnyOf(answer_outcome::refused, answer_outcome::timeout));
  EXPECT_EQ(got.error, condition::retryable);
  dns.start();
  EXPECT_EQ(client.ask("api.test").outcome, answer_outcome::records);
}

TEST_F(DnsSourceLife, RefusedRebuildsAtMostOncePerSecond) {
  dns.stop();
  dns_client client{options()};
  const auto start = clock::now();
  for (int i = 0; i < 200; ++i) {
    EXPECT_NE(client.ask("api.test").outcome, answer_outcome::records);
  }
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(clock::now() - start).count();
  EXPECT_GE(client.source().rebuilds(), 1u);
  EXPECT_LE(client.source().rebuilds(), static_cast<std::uint64_t>(seconds));
}

TEST_F(DnsSourceLife, Fault76_NoNameServers) {
  temp_dir dir;
  auto o = options_for({});
  for (const auto& path : {dir.write("empty", "search test\n"), std::string{"/nonexistent"}}) {
    o.resolv_conf = path;
    dns_client client{o};
    const auto got = client.ask("api.test");
    EXPECT_EQ(got.outcome, answer_outcome::local_fault);
    EXPECT_EQ(got.error, errc::no_dns_servers);
    EXPECT_EQ(got.error, condition::local_fault);
  }
}

// Started before the network was: the file is written later.
TEST_F(DnsSourceLife, Fault76_NameServersThatComeLaterAreFound) {
  temp_dir dir;
  auto o = options_for({});
  o.resolv_conf = dir.write("resolv.conf", "");
  dns_client client{o};
  EXPECT_EQ(client.ask("api.test").error, errc::no_dns_servers);
  dir.write("resolv.conf", "nameserver " + dns.address() + "\n");
  EXPECT_EQ(client.ask("api.test").outcome, answer_outcome::records);
}

TEST_F(DnsSourceLife, Fault101_NoDescriptorsLeftIsALocalFault) {
  dns_client client{options()};
  EXPECT_EQ(client.ask("api.test").outcome, answer_outcome::records);
  rlimit old{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &old), 0);
  rlimit none = old;
  none.rlim_cur = 3;  // those that are open stay open
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto got = client.ask("api.test");
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &old), 0);
  EXPECT_EQ(got.outcome, answer_outcome::local_fault);
  EXPECT_EQ(got.error, condition::local_fault) << got.error.message();
  EXPECT_EQ(client.ask("api.test").outcome, answer_outcome::records);
}

TEST_F(DnsSourceLife, CloseEndsEveryQuestionOnce) {
  const auto before = open_descriptors();
  {
    dns_client client{options(30s)};
    const auto all = ask_in_every_state(client);
    boost::asio::post(client.io(), [&] {
      client.source().close();
      client.source().close();
      for (const auto& got : all) EXPECT_THAT(*got, IsEmpty());  // posted, not inline
    });
    for (const auto& got : all) client.wait_for(got);
    const auto later = client.ask("api.test");
    EXPECT_EQ(later.outcome, answer_outcome::closed);
    client.poll();
    for (const auto& got : all) {
      ASSERT_THAT(*got, SizeIs(1));
      EXPECT_EQ(got->front().outcome, answer_outcome::closed);
      EXPECT_EQ(got->front().error, errc::closed);
    }
  }
  EXPECT_TRUE(descriptors_become(before));
}

TEST_F(DnsSourceLife, DestroyingEndsEveryQuestionOnce) {
  dns_client client{options(30s)};
  const auto all = ask_in_every_state(client);
  client.destroy_source();
  for (const auto& got : all) EXPECT_THAT(*got, IsEmpty());
  for (const auto& got : all) client.wait_for(got);
  client.poll();
  for (const auto& got : all) EXPECT_THAT(*got, SizeIs(1));
}

TEST_F(DnsSourceLife, Fault127_ContextDestroyedFirst) {
  const auto before = open_descriptors();
  {
    dns_client client{options(30s)};
    const auto all = ask_in_every_state(client);
    client.destroy_context();
    client.source().ask(make_question("api.test"), [](const answer&) { FAIL(); });
    client.source().close();
    client.destroy_source();
    for (const auto& got : all) {
      EXPECT_THAT(*got, IsEmpty());
      EXPECT_EQ(got.use_count(), 1) << "the handler was not destroyed";
    }
  }
  EXPECT_TRUE(descriptors_become(before));
}

TEST_F(DnsSourceLife, Fault127_SourceDestroyedThenContextWithoutRunning) {
  const auto before = open_descriptors();
  {
    dns_client client{options(30s)};
    const auto all = ask_in_every_state(client);
    client.destroy_source();
    client.destroy_context();
    for (const auto& got : all) EXPECT_THAT(*got, IsEmpty());
  }
  EXPECT_TRUE(descriptors_become(before));
}

TEST_F(DnsSourceLife, Fault129_HandlersMayDoAnything) {
  dns_client client{options()};
  std::vector<answer_outcome> seen;
  boost::asio::post(client.io(), [&] {
    client.source().ask(make_question("api.test"), [&](const answer& first) {
      seen.push_back(first.outcome);
      client.source().ask(make_question("api.test"), [&](const answer& second) {
        seen.push_back(second.outcome);
        client.source().ask(make_question("api.test"),
                            [&](const answer& third) { seen.push_back(third.outcome); });
        client.source().close();
        client.destroy_source();
      });
    });
  });
  ASSERT_TRUE(run_until(client.io(), [&] { return seen.size() == 3; }));
  EXPECT_THAT(
      seen, ElementsAre(answer_outcome::records, answer_outcome::records, answer_outcome::closed));
}

TEST_F(DnsSourceLife, Fault130_AHandlerThatThrowsCostsNobodyElse) {
  dns_client client{options()};
  answers_ptr other;
  boost::asio::post(client.io(), [&] {
    client.source().ask(make_question("api.test"),
                        [](const answer&) { throw std::runtime_error("from a handler"); });
  });
  other = client.start("api.test");
  int thrown = 0;
  while (thrown == 0 || other->empty()) {
    try {
      client.wait_for(other);
      if (thrown == 0)
        (void)run_until(
            client.io(), [] { return false; }, 1s);
    } catch (const std::runtime_error& e) {
      ASSERT_STREQ(e.what(), "from a handler");
      ++thrown;
    }
  }
  EXPECT_EQ(thrown, 1);
  EXPECT_EQ(client.ask("api.test").outcome, answer_outcome::records);
}

TEST_F(DnsSourceLife, Fault132_ManyThreadsOnOneStrand) {
  boost::asio::io_context io;
  auto strand = boost::asio::make_strand(io);
  auto source = redial::detail::make_cares_source(strand, options(30s), scheduler_of(strand));
  constexpr int questions = 500;
  std::atomic<int> good{0};
  int done = 0;  // belongs to the strand
  for (int i = 0; i < questions; ++i) {
    boost::asio::post(strand, [&, i] {
      source->ask(make_question(i % 50 == 0 ? "long.test" : "api.test"), [&](const answer& a) {
        if (a.outcome == answer_outcome::records) ++good;
        if (++done == questions) source->close();
      });
    });
  }
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) threads.emplace_back([&] { io.run_for(60s); });
  for (auto& t : threads) t.join();
  EXPECT_EQ(good, questions);
}

TEST_F(DnsSourceLife, RunReturnsWhenNothingIsAsked) {
  dns_client client{options()};
  EXPECT_EQ(client.ask("api.test").outcome, answer_outcome::records);
  client.io().restart();
  client.io().run();  // an idle source is no work
}

TEST(DnsSourceOptions, IllegalOnesAreNamed) {
  boost::asio::io_context io;
  const auto message = [&](const redial::detail::cares_options& o) -> std::string {
    try {
      (void)redial::detail::make_cares_source(
          io.get_executor(), o, scheduler_of(io.get_executor()));
    } catch (const std::invalid_argument& e) {
      return e.what();
    }
    return "accepted";
  };
  EXPECT_THAT(message(options_for({"dns.test:53"})), HasSubstr("nameservers: 'dns.test:53'"));
  EXPECT_THAT(message(options_for({"10.0.0.1:0"})), HasSubstr("'10.0.0.1:0'"));
  EXPECT_THAT(message(options_for({"10.0.0.1"}, 9ms)), HasSubstr("query_timeout: 9 ms"));
  EXPECT_THAT(message(options_for({"10.0.0.1"}, 61s)), HasSubstr("query_timeout: 61000 ms"));
  auto o = options_for({"10.0.0.1"});
  o.max_in_flight = 0;
  EXPECT_THAT(message(o), HasSubstr("max_queries_in_flight: 0"));
  o.max_in_flight = 1025;
  EXPECT_THAT(message(o), HasSubstr("1 to 1024"));
  o.max_in_flight = 1024;
  EXPECT_EQ(message(o), "accepted");
  o.max_per_second = 1'000'001;
  EXPECT_THAT(message(o), HasSubstr("max_queries_per_second: 1000001"));
  o.max_per_second = 1'000'000;
  EXPECT_EQ(message(o), "accepted");
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::testing
