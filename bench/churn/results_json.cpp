// SPDX-License-Identifier: Apache-2.0
#include "churn/results.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <map>
#include <stdexcept>

namespace redial::churn {

namespace {

using nlohmann::json;
using std::chrono::microseconds;

// 2: requests and servings in columns, suites, contestants that were absent.
constexpr int format_version = 2;

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
          {"title", s.title},
          {"length", us(s.length)},
          {"rate", s.rate},
          {"deadline", us(s.deadline)},
          {"in_flight_limit", s.in_flight_limit},
          {"ttl", us(s.ttl)},
          {"ttl_cap", us(s.ttl_cap)},
          {"allowed_stale", us(s.allowed_stale)},
          {"complete_answers", s.complete_answers},
          {"dns_faults", s.dns_faults},
          {"effective_ttl", us(s.effective_ttl)},
          {"names", s.names},
          {"seed", s.seed},
          {"facts", facts}};
}

run_settings settings_from(const json& j) {
  run_settings s;
  s.scenario = j.at("scenario").get<std::string>();
  s.title = j.at("title").get<std::string>();
  s.length = from_us(j.at("length"));
  s.rate = j.at("rate").get<std::uint32_t>();
  s.deadline = from_us(j.at("deadline"));
  s.in_flight_limit = j.at("in_flight_limit").get<std::uint32_t>();
  s.ttl = from_us(j.at("ttl"));
  s.ttl_cap = from_us(j.at("ttl_cap"));
  s.allowed_stale = from_us(j.at("allowed_stale"));
  s.complete_answers = j.at("complete_answers").get<bool>();
  s.dns_faults = j.at("dns_faults").get<bool>();
  s.effective_ttl = from_us(j.at("effective_ttl"));
  s.names = j.at("names").get<std::size_t>();
  s.seed = j.at("seed").get<std::uint64_t>();
  for (const auto& f : j.at("facts")) {
    s.facts.emplace_back(f.at(0).get<std::string>(), f.at(1).get<std::string>());
  }
  return s;
}

// A column per field: a tenth of the memory of an object per request, and what data frames are made
// of.
json requests_json(const std::vector<request_record>& requests, json& errors) {
  std::map<std::string, std::size_t> numbers;
  json columns;
  for (const char* name : {"planned", "waited", "took", "ok", "attempts", "backend", "error"})
    columns[name] = json::array();
  for (const auto& r : requests) {
    int error = -1;
    if (!r.error.empty()) {
      const auto [at, fresh] = numbers.emplace(r.error, numbers.size());
      if (fresh) errors.push_back(r.error);
      error = static_cast<int>(at->second);
    }
    columns["planned"].push_back(us(r.planned));
    columns["waited"].push_back(us(r.sent) - us(r.planned));
    columns["took"].push_back(us(r.done) - us(r.planned));
    columns["ok"].push_back(r.ok ? 1 : 0);
    columns["attempts"].push_back(r.attempts);
    columns["backend"].push_back(r.backend);
    columns["error"].push_back(error);
  }
  return columns;
}

json contestant_json(const contestant_record& c) {
  json j = {{"id", c.id}, {"title", c.title}};
  if (!c.absent.empty()) {
    j["absent"] = c.absent;
    return j;
  }
  auto servings = json::array();
  for (const auto& backend : c.servings) {
    auto ids = json::array();
    auto times = json::array();
    for (const auto& s : backend) {
      ids.push_back(s.id);
      times.push_back(us(s.at));
    }
    servings.push_back({{"request", std::move(ids)}, {"at", std::move(times)}});
  }
  j["connections"] = c.connections;
  if (c.dns_queries != not_counted) j["dns_queries"] = c.dns_queries;
  j["errors"] = json::array();
  j["requests"] = requests_json(c.requests, j["errors"]);
  j["servings"] = std::move(servings);
  return j;
}

std::vector<request_record> requests_from(const json& columns, const json& errors) {
  std::vector<request_record> requests(columns.at("planned").size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    auto& r = requests[i];
    r.id = i;
    r.planned = from_us(columns.at("planned").at(i));
    r.sent = r.planned + from_us(columns.at("waited").at(i));
    r.done = r.planned + from_us(columns.at("took").at(i));
    r.ok = columns.at("ok").at(i).get<int>() != 0;
    r.attempts = columns.at("attempts").at(i).get<std::uint32_t>();
    r.backend = columns.at("backend").at(i).get<int>();
    const auto error = columns.at("error").at(i).get<int>();
    if (error >= 0) r.error = errors.at(static_cast<std::size_t>(error)).get<std::string>();
  }
  return requests;
}

contestant_record contestant_from(const json& j, std::size_t backends) {
  contestant_record c;
  c.id = j.at("id").get<std::string>();
  c.title = j.at("title").get<std::string>();
  if (j.contains("absent")) {
    c.absent = j.at("absent").get<std::string>();
    return c;
  }
  c.connections = j.at("connections").get<std::uint64_t>();
  c.dns_queries = j.value("dns_queries", not_counted);
  c.requests = requests_from(j.at("requests"), j.at("errors"));
  for (const auto& backend : j.at("servings")) {
    auto& list = c.servings.emplace_back();
    const auto& ids = backend.at("request");
    for (std::size_t i = 0; i < ids.size(); ++i)
      list.push_back({ids[i].get<std::uint64_t>(), from_us(backend.at("at").at(i))});
  }
  if (c.servings.size() != backends) {
    throw std::invalid_argument("results: the servings of " + c.id + " do not fit the backends");
  }
  return c;
}

json body_json(const run_record& run) {
  json j = {{"settings", settings_json(run.settings)},
            {"dns_silent", spans_json(run.dns_silent)},
            {"sudden", spans_json(run.sudden)}};
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

run_record body_from(const json& j) {
  run_record run;
  run.settings = settings_from(j.at("settings"));
  run.dns_silent = spans_from(j.at("dns_silent"));
  run.sudden = spans_from(j.at("sudden"));
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
  for (const auto& c : j.at("contestants"))
    run.contestants.push_back(contestant_from(c, run.backends.size()));
  return run;
}

void check_format(const json& j) {
  const auto format = j.at("format").get<int>();
  if (format == format_version) return;
  throw std::invalid_argument(fmt::format(
      "results: the file has format {}, this program reads {}", format, format_version));
}

}  // namespace

json to_json(const run_record& run) {
  auto j = body_json(run);
  j["format"] = format_version;
  return j;
}

json to_json(const suite_record& suite) {
  json j = {{"format", format_version}, {"command", suite.command}, {"runs", json::array()}};
  for (const auto& run : suite.runs) j["runs"].push_back(body_json(run));
  return j;
}

run_record run_from_json(const json& j) {
  check_format(j);
  return body_from(j);
}

suite_record suite_from_json(const json& j) {
  check_format(j);
  suite_record suite;
  if (j.contains("settings")) {
    suite.runs.push_back(body_from(j));
    return suite;
  }
  suite.command = j.at("command").get<std::string>();
  for (const auto& run : j.at("runs")) suite.runs.push_back(body_from(run));
  return suite;
}

}  // namespace redial::churn
