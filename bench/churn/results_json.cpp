// SPDX-License-Identifier: Apache-2.0
#include "churn/results.hpp"

#include <nlohmann/json.hpp>

#include <map>
#include <stdexcept>

namespace redial::churn {

namespace {

using nlohmann::json;
using std::chrono::microseconds;

constexpr int format_version = 1;

std::int64_t us(duration d) { return std::chrono::duration_cast<microseconds>(d).count(); }
duration from_us(const json& j) { return microseconds{j.get<std::int64_t>()}; }

json spans_json(const std::vector<span>& spans) {
  auto out = json::array();
  for (const auto& s : spans) {
    out.push_back({us(s.from), s.to == duration::max() ? json(nullptr) : json(us(s.to))});
  }
  return out;
}

std::vector<span> spans_from(const json& j) {
  std::vector<span> spans;
  for (const auto& s : j) {
    spans.push_back({from_us(s.at(0)), s.at(1).is_null() ? duration::max() : from_us(s.at(1))});
  }
  return spans;
}

json settings_json(const run_settings& s) {
  auto facts = json::array();
  for (const auto& [name, value] : s.facts) facts.push_back({name, value});
  return {{"scenario", s.scenario},
          {"length", us(s.length)},
          {"rate", s.rate},
          {"deadline", us(s.deadline)},
          {"in_flight_limit", s.in_flight_limit},
          {"ttl", us(s.ttl)},
          {"ttl_cap", us(s.ttl_cap)},
          {"allowed_stale", us(s.allowed_stale)},
          {"seed", s.seed},
          {"facts", facts}};
}

run_settings settings_from(const json& j) {
  run_settings s;
  s.scenario = j.at("scenario").get<std::string>();
  s.length = from_us(j.at("length"));
  s.rate = j.at("rate").get<std::uint32_t>();
  s.deadline = from_us(j.at("deadline"));
  s.in_flight_limit = j.at("in_flight_limit").get<std::uint32_t>();
  s.ttl = from_us(j.at("ttl"));
  s.ttl_cap = from_us(j.at("ttl_cap"));
  s.allowed_stale = from_us(j.at("allowed_stale"));
  s.seed = j.at("seed").get<std::uint64_t>();
  for (const auto& f : j.at("facts")) {
    s.facts.emplace_back(f.at(0).get<std::string>(), f.at(1).get<std::string>());
  }
  return s;
}

json contestant_json(const contestant_record& c) {
  std::map<std::string, std::size_t> numbers;
  auto errors = json::array();
  auto requests = json::array();
  for (const auto& r : c.requests) {
    int error = -1;
    if (!r.error.empty()) {
      const auto [at, fresh] = numbers.emplace(r.error, numbers.size());
      if (fresh) errors.push_back(r.error);
      error = static_cast<int>(at->second);
    }
    requests.push_back(
        {us(r.planned), us(r.sent), us(r.done), r.ok ? 1 : 0, r.attempts, r.backend, error});
  }
  auto servings = json::array();
  for (const auto& backend : c.servings) {
    auto list = json::array();
    for (const auto& s : backend) list.push_back({s.id, us(s.at)});
    servings.push_back(std::move(list));
  }
  return {{"id", c.id},
          {"title", c.title},
          {"connections", c.connections},
          {"dns_queries", c.dns_queries},
          {"errors", std::move(errors)},
          {"requests", std::move(requests)},
          {"servings", std::move(servings)}};
}

request_record request_from(const json& j, std::uint64_t id, const json& errors) {
  request_record r;
  r.id = id;
  r.planned = from_us(j.at(0));
  r.sent = from_us(j.at(1));
  r.done = from_us(j.at(2));
  r.ok = j.at(3).get<int>() != 0;
  r.attempts = j.at(4).get<std::uint32_t>();
  r.backend = j.at(5).get<int>();
  const auto error = j.at(6).get<int>();
  if (error >= 0) r.error = errors.at(static_cast<std::size_t>(error)).get<std::string>();
  return r;
}

contestant_record contestant_from(const json& j) {
  contestant_record c;
  c.id = j.at("id").get<std::string>();
  c.title = j.at("title").get<std::string>();
  c.connections = j.at("connections").get<std::uint64_t>();
  c.dns_queries = j.at("dns_queries").get<std::uint64_t>();
  for (const auto& r : j.at("requests")) {
    c.requests.push_back(request_from(r, c.requests.size(), j.at("errors")));
  }
  for (const auto& backend : j.at("servings")) {
    auto& list = c.servings.emplace_back();
    for (const auto& s : backend) list.push_back({s.at(0).get<std::uint64_t>(), from_us(s.at(1))});
  }
  return c;
}

}  // namespace

json to_json(const run_record& run) {
  json j = {{"format", format_version}, {"settings", settings_json(run.settings)}};
  j["dns_silent"] = spans_json(run.dns_silent);
  j["events"] = json::array();
  for (const auto& e : run.events)
    j["events"].push_back({{"at", us(e.at)}, {"text", e.text}, {"label", e.label}});
  j["backends"] = json::array();
  for (const auto& b : run.backends) {
    j["backends"].push_back({{"name", b.name},
                             {"address", b.address},
                             {"in_dns", spans_json(b.in_dns)},
                             {"alive", spans_json(b.alive)}});
  }
  j["contestants"] = json::array();
  for (const auto& c : run.contestants) j["contestants"].push_back(contestant_json(c));
  return j;
}

run_record run_from_json(const json& j) {
  if (j.at("format").get<int>() != format_version) {
    throw std::invalid_argument("results of another format version");
  }
  run_record run;
  run.settings = settings_from(j.at("settings"));
  run.dns_silent = spans_from(j.at("dns_silent"));
  for (const auto& e : j.at("events")) {
    run.events.push_back(
        {from_us(e.at("at")), e.at("text").get<std::string>(), e.at("label").get<std::string>()});
  }
  for (const auto& b : j.at("backends")) {
    run.backends.push_back({b.at("name").get<std::string>(),
                            b.at("address").get<std::string>(),
                            spans_from(b.at("in_dns")),
                            spans_from(b.at("alive"))});
  }
  for (const auto& c : j.at("contestants")) {
    run.contestants.push_back(contestant_from(c));
    if (run.contestants.back().servings.size() != run.backends.size()) {
      throw std::invalid_argument("servings do not fit the backends");
    }
  }
  return run;
}

}  // namespace redial::churn
