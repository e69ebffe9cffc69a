// SPDX-License-Identifier: Apache-2.0
// redial-steady: what redial costs when nothing happens. Keep-alive GETs in a closed loop beside
// raw Beast on a fixed address, libcurl's multi interface and a bare epoll loop; the same over TLS;
// and an echo over a byte stream beside raw Asio. Ratios within one round, medians over the rounds.

#include <redial/testing/certificates.hpp>

#include "steady/measure.hpp"
#include "support/figures.hpp"
#include "support/interruption.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <optional>

namespace {

using namespace redial::steady;
using redial::bench::figure;

struct settings {
  bool quick = false;
  bool pin = true;
  std::size_t rounds = 7;
  int slice_ms = 60;
  std::string only;
  std::string json;
  // One contestant alone, for a profiler.
  std::string alone;
  std::uint64_t requests = 100'000;
  std::size_t in_flight = 8;
  bool strands = true;
};

struct match {
  std::string name;
  protocol what;
  std::vector<contestant> who;  // redial first, then its measure
  double least_rate;            // of redial : its measure
  double most_cpu;
};

std::vector<match> matches() {
  std::vector<match> all{
      {"http GET", protocol::http, {redial_http(), beast_http(), epoll_http()}, 0.95, 1.05},
      {"https GET", protocol::https, {redial_https(), beast_https()}, 0.97, 0},
      {"echo of 64 bytes", protocol::echo, {redial_stream(), asio_stream()}, 0.97, 0}};
  if (contestant curl = curl_http(); curl.make) all.front().who.push_back(std::move(curl));
  return all;
}

template <class Ratio>
figure ratio_of(const std::string& name,
                std::string what,
                const std::vector<std::vector<effort>>& rounds,
                const Ratio& ratio) {
  std::vector<double> values;
  for (const auto& r : rounds) values.push_back(ratio(r));
  return redial::bench::figure_of(name, std::move(what), "ratio", std::move(values));
}

std::string name_of(const match& m, const cell& c) {
  return fmt::format(
      "{}, {} in flight{}",
      m.name,
      c.in_flight,
      c.threads == 1 ? ", 1 thread" : fmt::format(" on each of {} threads", c.threads));
}

std::vector<figure> figures_of(const match& m,
                               const cell& c,
                               const std::vector<std::vector<effort>>& rounds) {
  const std::string name = name_of(m, c);
  std::vector<figure> out;
  const auto rate = [&](std::size_t a, std::size_t b) {
    return ratio_of(name,
                    fmt::format("requests/s, {} : {}", m.who[a].name, m.who[b].name),
                    rounds,
                    [a, b](const auto& r) { return r[a].rate() / r[b].rate(); });
  };
  const auto cpu = [&](std::size_t a, std::size_t b) {
    return ratio_of(name,
                    fmt::format("CPU/request, {} : {}", m.who[a].name, m.who[b].name),
                    rounds,
                    [a, b](const auto& r) { return r[a].cpu() / r[b].cpu(); });
  };
  out.push_back(redial::bench::at_least(m.least_rate, rate(0, 1)));
  out.push_back(m.most_cpu > 0 ? redial::bench::at_most(m.most_cpu, cpu(0, 1)) : cpu(0, 1));
  for (std::size_t i = 2; i < m.who.size(); ++i) {
    const bool demanded = m.who[i].name == "libcurl" && c.threads == 1 && c.in_flight > 1;
    out.push_back(demanded ? redial::bench::at_least(1.5, rate(0, i)) : rate(0, i));
    out.push_back(cpu(0, i));
    if (m.who[i].name == "epoll") out.push_back(rate(1, i));
  }
  for (std::size_t i = 0; i < 2; ++i) {
    std::vector<double> news;
    for (const auto& r : rounds) news.push_back(r[i].news());
    out.push_back(redial::bench::figure_of(
        name, "allocations/request, " + m.who[i].name, "count", std::move(news)));
  }
  return out;
}

void print_absolute(const match& m, const std::vector<std::vector<effort>>& rounds) {
  for (std::size_t i = 0; i < m.who.size(); ++i) {
    effort all;
    for (const auto& r : rounds) {
      all.requests += r[i].requests;
      all.seconds += r[i].seconds;
      all.cpu_seconds += r[i].cpu_seconds;
    }
    fmt::print("  {:<8} {:8.0f} requests/s, {:5.2f} us of CPU each\n",
               m.who[i].name,
               all.rate(),
               all.cpu() * 1e6);
  }
}

struct service {
  service(const match& m, redial::testing::certificate_authority& authority) {
    if (m.what == protocol::https) {
      redial::testing::certificate_options o;
      o.addresses = {"127.0.0.1"};
      const auto files = authority.issue(o);
      process.emplace(m.what, files.certificate, files.private_key);
    } else {
      process.emplace(m.what);
    }
    options.port = process->port();
    options.ca_file = authority.ca_file();
  }

  std::optional<server> process;
  lane_options options;
};

void run_alone(const settings& s) {
  redial::testing::certificate_authority authority;
  for (const match& m : matches()) {
    for (const contestant& c : m.who) {
      if (s.alone != m.name + "/" + c.name) continue;
      service to(m, authority);
      to.options.in_flight = s.in_flight;
      to.options.strands = s.strands;
      const auto lane = c.make(to.options);
      lane->run(s.in_flight * 200);
      const std::uint64_t before = allocations();
      lane->run(s.requests);
      const auto made = static_cast<double>(allocations() - before);
      fmt::print(
          "{}: {:.2f} allocations/request\n", s.alone, made / static_cast<double>(s.requests));
      return;
    }
  }
  throw std::runtime_error("--alone: who is " + s.alone + "?");
}

std::vector<figure> run_all(const settings& s) {
  redial::testing::certificate_authority authority;
  std::vector<figure> all;
  for (const match& m : matches()) {
    service to(m, authority);
    to.options.strands = s.strands;
    for (const std::size_t threads : {1U, 2U}) {
      for (const std::size_t in_flight : {1U, 8U, 64U}) {
        cell c{in_flight, threads, std::chrono::milliseconds(s.slice_ms), s.rounds};
        redial::bench::end_if_interrupted();
        const std::string name = name_of(m, c);
        if (name.find(s.only) == name.npos) continue;
        bool apart = false;
        if (threads == 1 && s.pin) {
          apart = keep_apart(to.process->pid());
        } else {
          let_roam(to.process->pid());
        }
        fmt::print("{}{}\n", name, apart ? ", client and server on CPUs of their own" : "");
        const auto rounds = compare(m.who, to.options, c);
        print_absolute(m, rounds);
        const auto figures = figures_of(m, c, rounds);
        fmt::print("{}\n", redial::bench::table(figures));
        std::fflush(stdout);
        all.insert(all.end(), figures.begin(), figures.end());
      }
    }
  }
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  settings s;
  CLI::App app{"redial-steady: redial beside raw Beast, libcurl, a bare epoll loop and raw Asio"};
  app.add_flag("--quick", s.quick, "Only see whether it runs: one short round of each cell");
  app.add_flag("!--no-pin", s.pin, "Do not keep client and server on CPUs of their own");
  app.add_flag("!--no-strands",
               s.strands,
               "Turn tcp_options::strand_per_connection off, as programs may whose executor runs "
               "on one thread");
  app.add_option("--rounds", s.rounds, "Paired rounds per cell")->check(CLI::Range(1, 1000));
  app.add_option("--slice", s.slice_ms, "Milliseconds of each of a round's four slices");
  app.add_option("--only", s.only, "Only cells whose name contains this");
  app.add_option("--json", s.json, "Write the figures here");
  app.add_option("--alone", s.alone, "One contestant, for a profiler: 'http GET/redial'");
  app.add_option("--requests", s.requests, "With --alone: how many");
  app.add_option("--in-flight", s.in_flight, "With --alone: how many at a time");
  CLI11_PARSE(app, argc, argv);
  if (s.quick) {
    s.rounds = 1;
    s.slice_ms = 5;
  }
  const redial::bench::interruption_guard guard;
  try {
    if (!s.alone.empty()) {
      run_alone(s);
      return 0;
    }
    const auto figures = run_all(s);
    std::string command = "redial-steady";
    for (int i = 1; i < argc; ++i) command += std::string(" ") + argv[i];  // NOLINT: how they come
    if (!s.json.empty()) redial::bench::write_json(s.json, "redial-steady", command, figures);
  } catch (const std::exception& e) {
    fmt::print(stderr, "redial-steady: {}\n", e.what());
    return 2;
  }
  return 0;
}
