// SPDX-License-Identifier: Apache-2.0
// Every client of the churn harness that is not ours, against a real backend: it gets its answers,
// and each request ends once, whatever the service does.

#include <redial/testing/certificates.hpp>
#include <redial/testing/dns_server.hpp>

#include "churn/backend.hpp"
#include "churn/contestant_external.hpp"
#include "churn/peers.hpp"
#include "support/child_process.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace redial::churn {

// GoogleTest would print its bytes.
static void PrintTo(const entrant& e, std::ostream* out) { *out << e.id; }

namespace {

using namespace std::chrono_literals;
using redial::testing::certificate_authority;
using redial::testing::certificate_files;
using redial::testing::child_process;
using redial::testing::dns_server;
using redial::testing::find_program;
using redial::testing::free_port;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using ::testing::TestParamInfo;
using ::testing::ValuesIn;

constexpr auto patience = 30s;

// Those that are built, and the example of the line protocol.
std::vector<entrant> built_peers() {
  std::vector<entrant> built;
  for (auto& e : peer_entrants()) {
    if (e.make) built.push_back(std::move(e));
  }
  const auto python = find_program({"/usr/bin/python3", "/usr/local/bin/python3"});
  if (!python.empty()) {
    built.push_back(
        external_entrant("python=exec " + python + " " REDIAL_CHURN_PEERS_DIR "/client.py"));
  }
  return built;
}

bool speaks_grpc(const entrant& e) { return e.id.starts_with("grpc"); }

class ChurnPeer : public ::testing::TestWithParam<entrant> {
 protected:
  ChurnPeer() {
    // Asked by gRPC only; the others find this name in the hosts file or know what it means.
    dns_.set("localhost", record_type::a, {"127.0.0.1"});
    dns_.set("api.test", record_type::a, {"127.0.0.1"});
    where_.host = speaks_grpc(GetParam()) ? "api.test" : "localhost";
    where_.nameserver = dns_.address();
    where_.known_to_system = true;
    where_.port = free_port();
    where_.ttl_cap = 10s;
    where_.seed = 1;
    if (!speaks_grpc(GetParam())) return;
    where_.grpc_port = free_port();
    where_.grpc_aged_port = free_port();
  }
  ~ChurnPeer() override {
    if (client_) client_->close();
    client_.reset();
    busy_.reset();
    io_.run_for(patience);
  }

  void serve(const certificate_files& tls = {}, int max_age_ms = 10'000) {
    std::vector<std::string> args{REDIAL_CHURN_PROGRAM,
                                  "backend",
                                  "--name",
                                  "A",
                                  "--listen",
                                  fmt::format("127.0.0.1:{}", where_.port),
                                  "--log",
                                  files_.directory() + "/A.log",
                                  "--ready-fd",
                                  "1"};
    if (speaks_grpc(GetParam())) {
      for (const auto& [option, value] :
           std::map<std::string, int>{{"--grpc-port", where_.grpc_port},
                                      {"--grpc-aged-port", where_.grpc_aged_port},
                                      {"--grpc-max-age-ms", max_age_ms}}) {
        args.insert(args.end(), {option, std::to_string(value)});
      }
    }
    if (!tls.certificate.empty()) {
      args.insert(args.end(), {"--certificate", tls.certificate, "--private-key", tls.private_key});
    }
    backend_.emplace(args);
    ASSERT_TRUE(backend_->wait_for_line("ready")) << backend_->output();
  }

  void start() { client_ = GetParam().make(io_.get_executor(), where_); }

  void ask(std::uint64_t request, duration limit) {
    client_->async_get(request, clock::now() + limit, [this, request](reply r) {
      EXPECT_TRUE(heard_.emplace(request, std::move(r)).second) << request << " answered again";
    });
    EXPECT_EQ(heard_.count(request), 0U) << "answered at once";
  }

  // Until so many are answered; fails when that takes too long.
  void wait_for(std::size_t answers) {
    const auto until = clock::now() + patience;
    while (heard_.size() < answers && clock::now() < until) io_.run_one_until(until);
    ASSERT_EQ(heard_.size(), answers);
  }

  reply answer_to(std::uint64_t request, duration limit = patience) {
    ask(request, limit);
    wait_for(heard_.size() + 1);
    return heard_[request];
  }

  certificate_authority files_;
  dns_server dns_;
  service_address where_;
  boost::asio::io_context io_{1};
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> busy_{
      io_.get_executor()};
  std::optional<child_process> backend_;
  std::unique_ptr<contestant> client_;
  std::map<std::uint64_t, reply> heard_;
};

TEST_P(ChurnPeer, TakesPart) { EXPECT_EQ(GetParam().refuses(where_), ""); }

TEST_P(ChurnPeer, HasTheIdOfItsEntrant) {
  start();
  EXPECT_EQ(client_->id(), GetParam().id);
}

TEST_P(ChurnPeer, CannotFollowServices) {
  where_.srv = "_http._tcp.api.test";
  EXPECT_THAT(GetParam().refuses(where_), ::testing::HasSubstr("SRV"));
}

TEST_P(ChurnPeer, IsAnsweredOnKeptConnections) {
  serve();
  start();
  for (std::uint64_t i = 0; i < 8; ++i) {
    const auto r = answer_to(i);
    ASSERT_TRUE(r.ok) << r.error;
    EXPECT_EQ(r.backend, "A");
  }
  // The example opens one per request and does not say so.
  EXPECT_EQ(client_->connections(), GetParam().id == "python" ? 0U : 1U);
}

TEST_P(ChurnPeer, HasManyRequestsInFlight) {
  serve();
  start();
  for (std::uint64_t i = 0; i < 200; ++i) ask(i, patience);
  wait_for(200);
  for (const auto& [request, r] : heard_) EXPECT_TRUE(r.ok) << request << ": " << r.error;
}

TEST_P(ChurnPeer, FailsWhenNobodyListens) {
  start();
  const auto r = answer_to(1, 300ms);
  EXPECT_FALSE(r.ok);
  EXPECT_THAT(r.error, Not(IsEmpty()));
}

TEST_P(ChurnPeer, FailsByTheDeadlineWhenNobodyAnswers) {
  boost::asio::ip::tcp::acceptor mute(io_);  // accepted by the kernel
  const auto port = speaks_grpc(GetParam()) ? &where_.grpc_port : &where_.port;
  mute.open(boost::asio::ip::tcp::v4());
  mute.bind({boost::asio::ip::address_v4::loopback(), 0});
  mute.listen();
  *port = mute.local_endpoint().port();
  if (speaks_grpc(GetParam())) where_.grpc_aged_port = where_.grpc_port;
  start();
  ask(1, 100ms);
  ask(2, 200ms);
  wait_for(2);
  EXPECT_FALSE(heard_[1].ok);
  EXPECT_FALSE(heard_[2].ok);
}

TEST_P(ChurnPeer, LosesItsBackendAndFindsItAgain) {
  serve();
  start();
  ASSERT_TRUE(answer_to(1).ok);
  backend_.reset();
  EXPECT_FALSE(answer_to(2, 300ms).ok);
  serve();
  // gRPC waits before it connects again.
  const auto until = clock::now() + patience;
  std::uint64_t next = 3;
  while (!answer_to(next, 1s).ok && clock::now() < until) ++next;
  EXPECT_TRUE(heard_[next].ok) << heard_[next].error;
}

TEST_P(ChurnPeer, EndsWithRequestsInFlight) {
  serve();
  start();
  ASSERT_TRUE(answer_to(1000).ok);
  for (std::uint64_t i = 0; i < 20; ++i) ask(i, patience);
  client_->close();
  client_.reset();
  busy_.reset();
  io_.run_for(patience);
  EXPECT_TRUE(io_.stopped()) << "there is work left";
  EXPECT_EQ(heard_.size(), 21U);
}

TEST_P(ChurnPeer, SpeaksTlsWithWhomItTrusts) {
  where_.tls = true;
  where_.ca_file = files_.ca_file();
  serve(files_.issue_for({where_.host}));
  start();
  const auto r = answer_to(1);
  EXPECT_TRUE(r.ok) << r.error;
}

TEST_P(ChurnPeer, DoesNotSpeakTlsWithOthers) {
  where_.tls = true;
  certificate_authority other;
  where_.ca_file = other.ca_file();
  serve(files_.issue_for({where_.host}));
  start();
  EXPECT_FALSE(answer_to(1, 1s).ok);
}

TEST_P(ChurnPeer, SurvivesThatItsTlsConnectionBreaks) {
  // Libraries that write to their sockets themselves leave SIGPIPE to the program.
  std::signal(SIGPIPE, SIG_DFL);
  where_.tls = true;
  where_.ca_file = files_.ca_file();
  serve(files_.issue_for({where_.host}));
  start();
  if (GetParam().id.starts_with("curl") || GetParam().id == "httplib") {
    EXPECT_EQ(std::signal(SIGPIPE, SIG_IGN), SIG_IGN);
  }
  for (std::uint64_t i = 0; i < 20; ++i) ask(i, patience);
  wait_for(20);
  backend_.reset();
  for (std::uint64_t i = 20; i < 40; ++i) ask(i, 300ms);
  wait_for(40);
  for (std::uint64_t i = 20; i < 40; ++i) EXPECT_FALSE(heard_[i].ok);
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ChurnPeer);  // no peer is built, and no Python there
INSTANTIATE_TEST_SUITE_P(, ChurnPeer, ValuesIn(built_peers()), [](const TestParamInfo<entrant>& e) {
  return e.param.id;
});

class GrpcPeer : public ChurnPeer {};

TEST_P(GrpcPeer, AsksTheNameServer) {
  serve();
  start();
  ASSERT_TRUE(answer_to(1).ok);
  EXPECT_GT(dns_.queries("api.test"), 0U);
}

TEST_P(GrpcPeer, OpensAnotherConnectionWhenTheServerEndsTheFirst) {
  serve({}, 100);
  start();
  const auto until = clock::now() + patience;
  for (std::uint64_t i = 0; client_->connections() < 3 && clock::now() < until; ++i) {
    ASSERT_TRUE(answer_to(i).ok) << heard_[i].error;
  }
  EXPECT_GE(client_->connections(), 3U);
}

std::vector<entrant> built_aged_grpc() {
  std::vector<entrant> found;
  for (auto& e : built_peers()) {
    if (e.id == "grpcaged") found.push_back(std::move(e));
  }
  return found;
}
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(GrpcPeer);
INSTANTIATE_TEST_SUITE_P(, GrpcPeer, ValuesIn(built_aged_grpc()), [](const auto& e) {
  return e.param.id;
});

TEST(ChurnPeers, ThatAreNotBuiltSayWhatTheyNeed) {
  for (const auto& e : peer_entrants()) {
    if (e.make) continue;
    EXPECT_THAT(e.refuses({}), StartsWith("is not built in (needs ")) << e.id;
  }
}

TEST(ChurnPeers, AreAllListed) {
  std::vector<std::string> ids;
  for (const auto& e : peer_entrants()) ids.push_back(e.id);
  EXPECT_THAT(
      ids,
      ::testing::UnorderedElementsAre(
          "curl", "curltuned", "curlretry", "grpc", "grpcaged", "httplib", "go", "gopooled"));
}

}  // namespace
}  // namespace redial::churn
