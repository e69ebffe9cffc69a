// SPDX-License-Identifier: Apache-2.0
#include "churn/stage.hpp"

#include "churn/recorder.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

namespace redial::churn {

namespace {

void open_span(std::vector<span>& spans, duration at) {
  if (spans.empty() || spans.back().to != duration::max()) spans.push_back({at, duration::max()});
}

void close_span(std::vector<span>& spans, duration at) {
  if (!spans.empty() && spans.back().to == duration::max()) spans.back().to = at;
}

bool is_open(const std::vector<span>& spans) {
  return !spans.empty() && spans.back().to == duration::max();
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// The whole text at once, then its end: the file is bound to a place where it cannot be exchanged,
// and a reader in between sees old lines rather than none.
void overwrite(const std::string& path, const std::string& text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  const bool done =
      fd >= 0 && ::pwrite(fd, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()) &&
      ::ftruncate(fd, static_cast<off_t>(text.size())) == 0;
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (!done) throw std::system_error(error, std::generic_category(), path);
}

constexpr const char* srv_prefix = "_http._tcp.";
constexpr std::uint16_t dns_port = 53;

}  // namespace

std::string why_not_played(const scenario& s, const stage_means& means) {
  const auto because = means.place.why_not.empty() ? "" : " (" + means.place.why_not + ")";
  if (s.filters_packets && !means.place.packet_filter) return "needs a packet filter" + because;
  if (s.in_hosts_file && !means.place.system_names)
    return "needs a hosts file of its own" + because;
  if (s.behind_cache && !name_cache::is_installed()) return "needs Unbound";
  const bool scripted = s.dns_faults || s.sample != 0;
  if (scripted && means.names == authority::knot) return "Knot does not fail or sample like that";
  return why_no_name_server(means.names);
}

temporary_directory::temporary_directory()
    : path_((std::filesystem::temp_directory_path() / "redial-churn-XXXXXX").string()) {
  if (::mkdtemp(path_.data()) == nullptr) {
    throw std::system_error(errno, std::generic_category(), path_);
  }
}

temporary_directory::~temporary_directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

stage::stage(const scenario& s, std::vector<std::string> hosts, stage_means means)
    : scenario_(s), hosts_(std::move(hosts)), means_(std::move(means)) {
  backends_.resize(s.backends);
  choose_addresses();
  choose_ports();
  if (s.tls) issue_certificates();
  start_names();
  for (auto& b : backends_) {
    b.record.address = fmt::format("{}:{}", b.hosts.front(), b.port);
    if (b.hosts.size() > 1) b.record.address += fmt::format(" and {} more", b.hosts.size() - 1);
    b.log = fmt::format("{}/{}.log", directory_.path(), b.record.name);
    if (s.later.find(b.record.name) == s.later.npos) launch(b);
  }
  point_to(s.first);
}

stage::~stage() {
  if (!scenario_.in_hosts_file) return;
  try {
    write_hosts_file({});
  } catch (const std::exception&) {
    // The next stage that needs the file will say so.
  }
}

void stage::choose_addresses() {
  const auto each = scenario_.addresses_each;
  for (std::size_t i = 0; i < backends_.size(); ++i) {
    auto& b = backends_[i];
    b.record.name = std::string(1, static_cast<char>('A' + static_cast<int>(i)));
    const auto machine = scenario_.machines == 0 ? i : i % scenario_.machines;
    // 127.0.0.1 stays the clients' own.
    for (std::size_t k = 0; k < each; ++k) {
      b.hosts.push_back(fmt::format("127.0.0.{}", machine * each + k + 2));
    }
  }
}

void stage::choose_ports() {
  std::vector<std::string> all;
  for (const auto& b : backends_) all.insert(all.end(), b.hosts.begin(), b.hosts.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  std::vector<std::uint16_t> taken;
  const auto next = [&] {
    auto port = find_common_port(all);
    while (std::find(taken.begin(), taken.end(), port) != taken.end()) port = find_common_port(all);
    taken.push_back(port);
    return port;
  };
  port_ = next();
  // gRPC's clients do not follow SRV records.
  if (!scenario_.srv && backends_speak_grpc()) {
    grpc_port_ = next();
    grpc_aged_port_ = next();
  }
  for (auto& b : backends_) b.port = scenario_.srv ? next() : port_;
}

void stage::issue_certificates() {
  ca_.emplace();
  own_ = ca_->issue_for(hosts_);
  strangers_ = ca_->issue_for({"stranger.test"});
}

void stage::start_names() {
  const auto port = means_.place.system_names ? dns_port : std::uint16_t{0};
  names_ = make_name_server(means_.names, scenario_.behind_cache ? std::uint16_t{0} : port);
  if (scenario_.behind_cache) cache_ = std::make_unique<name_cache>(names_->port(), port);
  for (const auto& host : hosts_) {
    if (scenario_.sample != 0) names_->sample(host, scenario_.sample);
    for (std::size_t m = 0; scenario_.srv && m < scenario_.machines; ++m) {
      names_->set_addresses(srv_target(m, host), backends_[m].hosts, ttl());
    }
  }
}

service_address stage::where(const std::string& host) const {
  service_address w;
  w.host = host;
  w.port = port_;
  w.nameserver = cache_ ? cache_->address() : names_->address();
  w.tls = scenario_.tls;
  if (ca_) w.ca_file = ca_->ca_file();
  if (scenario_.srv) w.srv = srv_prefix + host;
  w.grpc_port = grpc_port_;
  w.grpc_aged_port = grpc_aged_port_;
  w.http_faults = scenario_.http_faults;
  w.known_to_system = means_.place.system_names;
  w.in_hosts_file = scenario_.in_hosts_file;
  if (scenario_.identity) w.identity_path = "/who";
  w.ttl_cap = scenario_.ttl_cap;
  return w;
}

std::size_t stage::names() const noexcept { return scenario_.srv ? 1 + scenario_.machines : 1; }

std::uint64_t stage::queries(const std::string& host) const {
  if (!scenario_.srv) return names_->queries(host);
  auto all = names_->queries(srv_prefix + host);
  if (all == not_counted) return all;
  for (std::size_t m = 0; m < scenario_.machines; ++m) all += names_->queries(srv_target(m, host));
  return all;
}

std::string stage::srv_target(std::size_t machine, const std::string& host) const {
  return fmt::format("machine{}.{}", machine, host);
}

std::chrono::seconds stage::ttl() const noexcept {
  return std::chrono::duration_cast<std::chrono::seconds>(scenario_.ttl);
}

duration stage::now() const {
  const auto t = clock::now();
  return t > start_ ? t - start_ : duration::zero();
}

stage::backend& stage::at(char letter) {
  const auto i = static_cast<std::size_t>(letter - 'A');
  if (letter < 'A' || i >= backends_.size()) {
    throw std::out_of_range(fmt::format("there is no backend {}", letter));
  }
  return backends_[i];
}

void stage::launch(backend& b) {
  backend_options o;
  o.name = b.record.name;
  o.log = b.log;
  o.grpc_port = grpc_port_;
  o.grpc_aged_port = grpc_aged_port_;
  o.grpc_max_age_ms = static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(scenario_.ttl_cap).count());
  o.stranger = scenario_.strangers.find(b.record.name) != std::string::npos;
  for (const auto& host : b.hosts) o.listen.push_back(fmt::format("{}:{}", host, b.port));
  const auto& files = o.stranger ? strangers_ : own_;
  o.certificate = files.certificate;
  o.private_key = files.private_key;
  b.process = backend_process(o);
  open_span(b.record.alive, now());
}

void stage::begin(time_point start) { start_ = start; }

void stage::publish() {
  std::vector<std::string> addresses;
  for (const char letter : named_) {
    const auto& hosts = at(letter).hosts;
    addresses.insert(addresses.end(), hosts.begin(), hosts.end());
  }
  if (scenario_.in_hosts_file) return write_hosts_file(addresses);
  for (const auto& host : hosts_) {
    if (scenario_.srv) {
      publish_services(host);
    } else {
      names_->set_addresses(host, addresses, ttl());
    }
  }
}

void stage::publish_services(const std::string& host) {
  std::vector<testing::srv_data> services;
  for (const char letter : named_) {
    const auto machine = static_cast<std::size_t>(letter - 'A') % scenario_.machines;
    services.emplace_back(1, 1, at(letter).port, srv_target(machine, host));
  }
  names_->set_services(srv_prefix + host, services, ttl());
}

void stage::write_hosts_file(const std::vector<std::string>& addresses) const {
  std::string text = "127.0.0.1 localhost\n";
  for (const auto& a : addresses) {
    text += a;
    for (const auto& host : hosts_) text += " " + host;
    text += "\n";
  }
  overwrite(means_.place.hosts_path, text);
}

void stage::point_to(std::string_view letters) {
  // New addresses count from before the change, old ones until after it: nobody is blamed for the
  // moment in between.
  for (const char letter : letters) open_span(at(letter).record.in_dns, now());
  named_ = letters;
  publish();
  for (auto& b : backends_) {
    if (letters.find(b.record.name) == letters.npos) close_span(b.record.in_dns, now());
  }
}

void stage::kill(std::string_view letters) {
  for (const char letter : letters) {
    at(letter).process.kill();
    close_span(at(letter).record.alive, now());
  }
}

void stage::reset_and_kill(std::string_view letters) {
  for (const char letter : letters) at(letter).process.tell("reset");
  kill(letters);
}

void stage::start(std::string_view letters) {
  for (const char letter : letters) launch(at(letter));
}

void stage::behave(std::string_view letters, manner m) {
  for (const char letter : letters) {
    at(letter).process.tell("manner " + std::string(to_string(m)));
  }
}

void stage::black_hole(std::string_view letters, bool on) {
  for (const char letter : letters) {
    for (const auto& host : at(letter).hosts) filter_.black_hole(host, on);
  }
}

void stage::dns(dns_fault fault) {
  names_->fail(hosts_, fault);
  if (fault != dns_fault::none) return open_span(silent_, now());
  publish();
  close_span(silent_, now());
}

std::string stage::states() const {
  std::string states;
  for (const auto& b : backends_) {
    const bool named = is_open(b.record.in_dns);
    const bool runs = is_open(b.record.alive);
    states += named ? (runs ? '+' : '!') : (runs ? '-' : ' ');
  }
  return states;
}

void stage::fill(run_record& run) const {
  run.dns_silent = silent_;
  for (const auto& b : backends_) run.backends.push_back(b.record);
  std::vector<backend_log> logs;
  for (const auto& b : backends_) {
    logs.push_back(parse_backend_log(read_file(b.log)));
    if (logs.back().broken != 0) {
      throw std::runtime_error(fmt::format(
          "backend {}: {} lines of its log are broken", b.record.name, logs.back().broken));
    }
    add_servings(run, logs.size() - 1, logs.back(), start_);
  }
  for (auto& c : run.contestants) {
    c.connections = std::max<std::uint64_t>(c.connections, connections_of(c.id, logs));
  }
}

}  // namespace redial::churn
