// SPDX-License-Identifier: Apache-2.0
#include <redial/testing/dns_server.hpp>

#include "testing/dns_sockets.hpp"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <stdexcept>

namespace redial::inline REDIAL_ABI::testing {
namespace {

constexpr std::size_t log_limit = 100'000;

std::uint32_t seconds_on_wire(std::chrono::seconds s) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(s.count(), 0, 0xffff'ffff));
}

std::uint16_t number(record_type t) { return static_cast<std::uint16_t>(t); }

redial::address listen_address(const std::string& text) {
  boost::system::error_code ec;
  const auto a = boost::asio::ip::make_address(text, ec);
  if (ec) throw std::invalid_argument("dns_server_options::address: no address: '" + text + "'");
  return a;
}

}  // namespace

class dns_server::state {
 public:
  explicit state(const dns_server_options& options)
      : zone(options.seed),
        sockets(listen_address(options.address),
                options.port,
                [this](const dns_bytes& query, bool over_tcp, std::uint16_t peer_port) {
                  return answer_to(query, over_tcp, peer_port);
                }) {}

  // A change of the script.
  template <class F>
  auto locked(F f) {
    const std::lock_guard lock{mutex};
    return f();
  }

  [[nodiscard]] std::size_t count(const std::string& name, const record_type* type) const {
    std::size_t sum = 0;
    auto e = counts.lower_bound({name, 0});
    for (; e != counts.end() && e->first.first == name; ++e) {
      if (type == nullptr || e->first.second == number(*type)) sum += e->second;
    }
    return sum;
  }

  std::mutex mutex;
  std::condition_variable arrived;
  detail::dns_zone zone;
  bool silent = false;
  std::size_t total = 0;
  std::map<std::pair<std::string, std::uint16_t>, std::size_t> counts;
  std::vector<dns_query> log;
  const time_point started = clock::now();
  detail::dns_sockets sockets;  // last: its thread uses everything above

 private:
  detail::reply_plan answer_to(const dns_bytes& bytes, bool over_tcp, std::uint16_t peer_port) {
    const auto q = detail::parse_query(bytes);
    if (!q) return {};
    dns_raw_hook hook;
    {
      const std::lock_guard lock{mutex};
      note(*q, over_tcp, peer_port);
      if (silent) return {};
      hook = zone.hook_for(*q);
      if (!hook) return zone.reply(*q, bytes);
    }
    detail::reply_plan plan;
    plan.tcp = hook(bytes);  // without the lock: the hook may use the server
    if (!plan.tcp.empty()) plan.udp.push_back(plan.tcp);
    return plan;
  }

  void note(const detail::wire_query& q, bool over_tcp, std::uint16_t peer_port) {
    ++total;
    ++counts[{q.name, q.type}];
    if (log.size() < log_limit) {
      dns_query entry;
      entry.when = clock::now();
      entry.name = q.name;
      entry.type = q.type;
      entry.tcp = over_tcp;
      entry.edns = q.edns;
      entry.source_port = peer_port;
      log.push_back(std::move(entry));
    }
    arrived.notify_all();
  }
};

dns_server::dns_server(const dns_server_options& options)
    : state_(std::make_unique<state>(options)) {}

dns_server::~dns_server() = default;

std::uint16_t dns_server::port() const noexcept { return state_->sockets.port(); }

std::string dns_server::address() const {
  const auto& where = state_->sockets.where();
  const auto text = where.is_v6() ? "[" + where.to_string() + "]" : where.to_string();
  return text + ":" + std::to_string(port());
}

void dns_server::set(std::string_view name,
                     record_type type,
                     const std::vector<std::string>& addresses,
                     std::chrono::seconds ttl) {
  std::vector<dns_record> records;
  for (const auto& text : addresses) {
    boost::system::error_code ec;
    const auto a = boost::asio::ip::make_address(text, ec);
    if (ec || type == record_type::srv || a.is_v6() != (type == record_type::aaaa)) {
      throw std::invalid_argument("dns_server::set: '" + text + "' is no address of that type");
    }
    records.push_back(make_address_record(name, a, seconds_on_wire(ttl)));
  }
  set_records(name, type, std::move(records));
}

void dns_server::set_srv(std::string_view name,
                         const std::vector<srv_data>& services,
                         std::chrono::seconds ttl) {
  std::vector<dns_record> records;
  for (const auto& s : services) records.push_back(make_srv_record(name, s, seconds_on_wire(ttl)));
  set_records(name, record_type::srv, std::move(records));
}

void dns_server::set_cname(std::string_view name,
                           std::string_view target,
                           std::chrono::seconds ttl) {
  std::vector<dns_record> alias{make_cname_record(name, target, seconds_on_wire(ttl))};
  state_->locked([&] { state_->zone.set_cname(name, std::move(alias)); });
}

void dns_server::set_records(std::string_view name,
                             record_type type,
                             std::vector<dns_record> answer) {
  state_->locked([&] { state_->zone.set(name, number(type), std::move(answer)); });
}

void dns_server::set_soa(std::string_view zone,
                         std::chrono::seconds ttl,
                         std::chrono::seconds minimum) {
  state_->locked(
      [&] { state_->zone.set_soa(zone, seconds_on_wire(ttl), seconds_on_wire(minimum)); });
}

void dns_server::fail(std::string_view name, rcode code) {
  state_->locked([&] { state_->zone.fail(name, detail::dns_zone::any_type, code); });
}

void dns_server::fail(std::string_view name, record_type type, rcode code) {
  state_->locked([&] { state_->zone.fail(name, number(type), code); });
}

void dns_server::remove(std::string_view name) {
  state_->locked([&] { state_->zone.remove(name); });
}

void dns_server::raw(std::string_view name, record_type type, dns_raw_hook hook) {
  state_->locked([&] { state_->zone.raw(name, number(type), std::move(hook)); });
}

void dns_server::order(std::string_view name, record_type type, record_order order) {
  state_->locked([&] { state_->zone.order(name, number(type), order); });
}

void dns_server::sample(std::string_view name, record_type type, std::size_t count) {
  state_->locked([&] { state_->zone.sample(name, number(type), count); });
}

void dns_server::behave(std::string_view name, const dns_manner& manner) {
  state_->locked([&] { state_->zone.behave(name, detail::dns_zone::any_type, manner); });
}

void dns_server::behave(std::string_view name, record_type type, const dns_manner& manner) {
  state_->locked([&] { state_->zone.behave(name, number(type), manner); });
}

void dns_server::silence(bool on) {
  state_->locked([&] { state_->silent = on; });
}

void dns_server::tcp(tcp_manner manner) {
  state_->sockets.on_thread([this, manner] { state_->sockets.set_tcp(manner); });
}

void dns_server::stop() {
  state_->sockets.on_thread([this] { state_->sockets.stop(); });
}

void dns_server::start() {
  state_->sockets.on_thread([this] { state_->sockets.start(); });
}

void dns_server::at(duration offset, std::function<void(dns_server&)> change) {
  state_->sockets.at(after(state_->started, offset),
                     [this, change = std::move(change)] { change(*this); });
}

std::size_t dns_server::queries() const {
  return state_->locked([&] { return state_->total; });
}

std::size_t dns_server::queries(std::string_view name) const {
  return state_->locked([&] { return state_->count(detail::canonical(name), nullptr); });
}

std::size_t dns_server::queries(std::string_view name, record_type type) const {
  return state_->locked([&] { return state_->count(detail::canonical(name), &type); });
}

std::vector<dns_query> dns_server::log() const {
  return state_->locked([&] { return state_->log; });
}

bool dns_server::wait_for_queries(std::string_view name, std::size_t count, duration limit) const {
  const auto owner = detail::canonical(name);
  std::unique_lock lock{state_->mutex};
  return state_->arrived.wait_for(
      lock, clamped(limit), [&] { return state_->count(owner, nullptr) >= count; });
}

}  // namespace redial::inline REDIAL_ABI::testing
