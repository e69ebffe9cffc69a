// SPDX-License-Identifier: Apache-2.0
#include "testing/dns_zone.hpp"

#include <algorithm>

namespace redial::inline REDIAL_ABI::testing::detail {
namespace {

constexpr std::uint16_t cname_type = 5;
constexpr int longest_alias_chain = 16;

// The entry for (name, type), else the one for every type of the name.
template <class Map>
auto find_specific(Map& map, const std::string& name, std::uint16_t type) {
  const auto found = map.find({name, type});
  return found != map.end() ? found : map.find({name, dns_zone::any_type});
}

// The target of a CNAME record that `cname_record` made.
std::string target_of(const dns_record& r) {
  std::string out;
  for (std::size_t at = 0; at < r.rdata.size() && r.rdata[at] != 0; at += r.rdata[at] + 1U) {
    if (!out.empty()) out += '.';
    const auto label = r.rdata.begin() + static_cast<std::ptrdiff_t>(at) + 1;
    out.append(label, label + r.rdata[at]);
  }
  return canonical(out);
}

}  // namespace

void dns_zone::set(std::string_view name, std::uint16_t type, std::vector<dns_record> records) {
  const key k{canonical(name), type};
  failures_.erase(k);
  failures_.erase({k.first, any_type});
  records_.erase({k.first, cname_type});
  records_[k] = std::move(records);
}

void dns_zone::set_cname(std::string_view name, std::vector<dns_record> alias) {
  remove(name);
  records_[{canonical(name), cname_type}] = std::move(alias);
}

void dns_zone::set_soa(std::string_view zone, std::uint32_t ttl, std::uint32_t minimum) {
  soas_[canonical(zone)] = make_soa_record(zone, ttl, minimum);
}

void dns_zone::fail(std::string_view name, std::uint16_t type, rcode code) {
  if (code == rcode::noerror) {
    failures_.erase({canonical(name), type});
  } else {
    failures_[{canonical(name), type}] = code;
  }
}

void dns_zone::remove(std::string_view name) {
  const auto gone = canonical(name);
  std::erase_if(records_, [&](const auto& e) { return e.first.first == gone; });
  std::erase_if(failures_, [&](const auto& e) { return e.first.first == gone; });
}

void dns_zone::raw(std::string_view name, std::uint16_t type, dns_raw_hook hook) {
  hooks_[{canonical(name), type}] = std::move(hook);
}

void dns_zone::order(std::string_view name, std::uint16_t type, record_order order) {
  arrangements_[{canonical(name), type}].order = order;
}

void dns_zone::sample(std::string_view name, std::uint16_t type, std::size_t count) {
  arrangements_[{canonical(name), type}].sample = count;
}

void dns_zone::behave(std::string_view name, std::uint16_t type, const dns_manner& manner) {
  const auto owner = canonical(name);
  if (type == any_type)
    std::erase_if(manners_, [&](const auto& e) { return e.first.first == owner; });
  manners_[{owner, type}] = manner;
}

dns_raw_hook dns_zone::hook_for(const wire_query& q) const {
  const auto found = hooks_.find({q.name, q.type});
  return found != hooks_.end() ? found->second : nullptr;
}

dns_manner dns_zone::manner_for(const wire_query& q) const {
  const auto found = find_specific(manners_, q.name, q.type);
  return found != manners_.end() ? found->second : dns_manner{};
}

bool dns_zone::exists(const std::string& name) const {
  const auto found = records_.lower_bound({name, 0});
  return found != records_.end() && found->first.first == name;
}

void dns_zone::add_soa(const std::string& name, wire_response& out) const {
  const dns_record* best = nullptr;
  for (const auto& [zone, soa] : soas_) {
    const bool inside = zone.empty() || name == zone || name.ends_with("." + zone);
    if (inside && (best == nullptr || zone.size() > canonical(best->name).size())) best = &soa;
  }
  if (best != nullptr) out.authority.push_back(*best);
}

void dns_zone::append_records(const key& k, std::vector<dns_record>& out) {
  const auto found = records_.find(k);
  if (found == records_.end()) return;
  auto records = found->second;
  const auto how = arrangements_.find(k);
  if (how != arrangements_.end() && how->second.sample != 0) {
    // Written out, because std::sample and std::shuffle differ between standard libraries.
    const auto count = std::min(how->second.sample, records.size());
    for (std::size_t i = 0; i < count; ++i) {
      std::swap(records[i],
                records[i + static_cast<std::size_t>(random_() % (records.size() - i))]);
    }
    records.resize(count);
  }
  out.insert(out.end(), records.begin(), records.end());
}

void dns_zone::arrange(const key& k, std::vector<dns_record>& records) {
  const auto how = arrangements_.find(k);
  if (how == arrangements_.end()) return;
  if (how->second.order == record_order::reversed) std::reverse(records.begin(), records.end());
  if (how->second.order == record_order::shuffled) {
    for (std::size_t i = records.size(); i > 1; --i)
      std::swap(records[i - 1], records[static_cast<std::size_t>(random_() % i)]);
  }
}

wire_response dns_zone::look_up(const wire_query& q) {
  wire_response out;
  if (const auto f = find_specific(failures_, q.name, q.type); f != failures_.end()) {
    out.code = f->second;
    if (out.code == rcode::nxdomain) add_soa(q.name, out);
    return out;
  }
  std::string name = q.name;
  for (int hops = 0; hops < longest_alias_chain; ++hops) {
    const auto alias = records_.find({name, cname_type});
    if (records_.contains({name, q.type}) || alias == records_.end()) break;
    out.answer.push_back(alias->second.front());
    name = target_of(alias->second.front());
  }
  const auto before = out.answer.size();
  append_records({name, q.type}, out.answer);
  arrange({q.name, q.type}, out.answer);
  if (out.answer.size() == before) {
    if (!exists(name)) out.code = rcode::nxdomain;
    add_soa(name, out);
  }
  return out;
}

reply_plan dns_zone::reply(const wire_query& q, const dns_bytes& bytes) {
  const auto manner = manner_for(q);
  reply_plan plan;
  plan.delay = manner.delay;
  if (manner.drop) return plan;

  auto response = look_up(q);
  plan.tcp = write_response(q, bytes, response);
  auto right = plan.tcp;
  if (manner.truncate || (right.size() > q.udp_size && !manner.oversize)) {
    response.truncated = true;
    response.answer.resize(response.answer.size() / 2);
    right = write_response(q, bytes, response);
    if (right.size() > q.udp_size) {
      response.answer.clear();
      right = write_response(q, bytes, response);
    }
  }
  auto spoiled = right;
  apply_defect(spoiled, q.question_end, manner.defect);
  apply_defect(plan.tcp, q.question_end, manner.defect);
  spoiled.resize(spoiled.size() + manner.trailing);
  plan.tcp.resize(plan.tcp.size() + manner.trailing);
  plan.udp.assign(manner.copies, spoiled);
  if (manner.right_one_follows) plan.udp.push_back(std::move(right));
  return plan;
}

}  // namespace redial::inline REDIAL_ABI::testing::detail
