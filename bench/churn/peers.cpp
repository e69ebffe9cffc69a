// SPDX-License-Identifier: Apache-2.0
#include "churn/peers.hpp"

#include "churn/contestant_external.hpp"

#ifdef REDIAL_CHURN_CURL
#include "churn/peers/contestant_curl.hpp"
#endif
#ifdef REDIAL_CHURN_GRPC
#include "churn/peers/contestant_grpc.hpp"
#endif
#ifdef REDIAL_CHURN_HTTPLIB
#include "churn/peers/contestant_httplib.hpp"
#endif

#include <fmt/core.h>

#include <filesystem>
#include <string>
#include <utility>

namespace redial::churn {

namespace {

using make_contestant = decltype(entrant::make);
using refusal = decltype(entrant::refuses);

[[maybe_unused]] entrant absent(std::string id, std::string title, const std::string& package) {
  const auto why = fmt::format("is not built in (needs {})", package);
  return {std::move(id), std::move(title), [why](const service_address&) { return why; }, nullptr};
}

[[maybe_unused]] std::string why_not_by_system(const service_address& where) {
  if (!where.srv.empty()) return "knows no SRV records";
  if (!where.known_to_system) return "asks the system's resolver, which does not know the name";
  return {};
}

void add_curl(std::vector<entrant>& all) {
  constexpr const char* usual = "libcurl";
  constexpr const char* tuned = "libcurl, tuned";
  constexpr const char* retrying = "libcurl, tuned, retry";
#ifdef REDIAL_CHURN_CURL
  const auto of = [](curl_kind kind) -> make_contestant {
    return [kind](const auto& executor, const auto& where) {
      return make_curl(executor, where, kind);
    };
  };
  all.push_back({"curl", usual, why_not_by_system, of(curl_kind::usual)});
  all.push_back({"curltuned", tuned, why_not_by_system, of(curl_kind::tuned)});
  all.push_back({"curlretry", retrying, why_not_by_system, of(curl_kind::retrying)});
#else
  constexpr const char* package = "libcurl4-openssl-dev";
  all.push_back(absent("curl", usual, package));
  all.push_back(absent("curltuned", tuned, package));
  all.push_back(absent("curlretry", retrying, package));
#endif
}

void add_grpc(std::vector<entrant>& all) {
  constexpr const char* usual = "gRPC";
  constexpr const char* aged = "gRPC, max age";
#ifdef REDIAL_CHURN_GRPC
  const auto why_not = [](grpc_kind kind) -> refusal {
    return [kind](const service_address& where) -> std::string {
      if (!where.srv.empty()) return "knows no SRV records";
      if (where.http_faults) return "speaks no HTTP/1.1, which this is about";
      if (where.in_hosts_file)
        return "is told to ask the name server, which does not know the name";
      const auto port = kind == grpc_kind::aged ? where.grpc_aged_port : where.grpc_port;
      return port == 0 ? "has no backend that speaks gRPC" : "";
    };
  };
  const auto of = [](grpc_kind kind) -> make_contestant {
    return [kind](const auto& executor, const auto& where) {
      return make_grpc(executor, where, kind);
    };
  };
  all.push_back({"grpc", usual, why_not(grpc_kind::usual), of(grpc_kind::usual)});
  all.push_back({"grpcaged", aged, why_not(grpc_kind::aged), of(grpc_kind::aged)});
#else
  constexpr const char* package = "libgrpc++-dev";
  all.push_back(absent("grpc", usual, package));
  all.push_back(absent("grpcaged", aged, package));
#endif
}

void add_httplib(std::vector<entrant>& all) {
  constexpr const char* title = "cpp-httplib";
#ifdef REDIAL_CHURN_HTTPLIB
  all.push_back({"httplib", title, why_not_by_system, make_httplib});
#else
  all.push_back(absent("httplib", title, "libcpp-httplib-dev"));
#endif
}

// It lies beside this program, wherever that was installed or moved to.
[[maybe_unused]] std::filesystem::path go_program() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "redial-churn-go";
}

[[maybe_unused]] std::string why_not_go(const service_address& where) {
  if (!std::filesystem::exists(go_program())) return "lacks redial-churn-go beside this program";
  return why_not_by_system(where);
}

void add_go(std::vector<entrant>& all) {
  constexpr const char* usual = "Go net/http";
  constexpr const char* pooled = "Go net/http, 64 idle";
#ifdef REDIAL_CHURN_GO
  const auto with_idle = [](std::string id, std::string idle) -> make_contestant {
    const external_client client{std::move(id),
                                 "exec '" + go_program().string() + "'",
                                 {{"CHURN_GO_IDLE", std::move(idle)}}};
    return [client](const auto& executor, const auto& where) {
      return make_external(executor, where, client);
    };
  };
  all.push_back({"go", usual, why_not_go, with_idle("go", "0")});
  all.push_back({"gopooled", pooled, why_not_go, with_idle("gopooled", "64")});
#else
  constexpr const char* package = "golang-go";
  all.push_back(absent("go", usual, package));
  all.push_back(absent("gopooled", pooled, package));
#endif
}

}  // namespace

std::vector<entrant> peer_entrants() {
  std::vector<entrant> all;
  add_curl(all);
  add_grpc(all);
  add_httplib(all);
  add_go(all);
  return all;
}

}  // namespace redial::churn
