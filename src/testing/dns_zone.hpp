// SPDX-License-Identifier: Apache-2.0
#pragma once

// The script of the test server: what it says to a query. No sockets, no threads.

#include <redial/core/abi.hpp>

#include "testing/dns_wire.hpp"

#include <map>
#include <random>
#include <set>
#include <string>

namespace redial::inline REDIAL_ABI::testing::detail {

/// What to send, and when.
struct reply_plan {
  duration delay{0};
  std::vector<dns_bytes> udp;  // datagrams, in order
  dns_bytes tcp;               // one message; empty: nothing
};

class dns_zone {
 public:
  explicit dns_zone(std::uint64_t seed) : random_(seed) {}

  void set(std::string_view name, std::uint16_t type, std::vector<dns_record> records);
  /// Replaces everything `name` had.
  void set_cname(std::string_view name, std::vector<dns_record> alias);
  void set_soa(std::string_view zone, std::uint32_t ttl, std::uint32_t minimum);
  void fail(std::string_view name, std::uint16_t type, rcode code);
  void remove(std::string_view name);
  void raw(std::string_view name, std::uint16_t type, dns_raw_hook hook);
  void order(std::string_view name, std::uint16_t type, record_order order);
  void sample(std::string_view name, std::uint16_t type, std::size_t count);
  void behave(std::string_view name, std::uint16_t type, const dns_manner& manner);

  /// Null when there is none for this question.
  [[nodiscard]] dns_raw_hook hook_for(const wire_query& q) const;
  [[nodiscard]] reply_plan reply(const wire_query& q, const dns_bytes& bytes);

  /// Stands for every type of a name.
  static constexpr std::uint16_t any_type = 255;

 private:
  using key = std::pair<std::string, std::uint16_t>;
  struct arrangement {
    record_order order = record_order::as_given;
    std::size_t sample = 0;
  };

  [[nodiscard]] wire_response look_up(const wire_query& q);
  void append_records(const key& k, std::vector<dns_record>& out);
  void add_soa(const std::string& name, wire_response& out) const;
  void arrange(const key& k, std::vector<dns_record>& records);
  [[nodiscard]] bool exists(const std::string& name) const;
  [[nodiscard]] dns_manner manner_for(const wire_query& q) const;

  std::map<key, std::vector<dns_record>> records_;
  std::map<key, rcode> failures_;
  std::map<key, dns_raw_hook> hooks_;
  std::map<key, arrangement> arrangements_;
  std::map<key, dns_manner> manners_;
  std::map<std::string, dns_record> soas_;
  std::mt19937_64 random_;
};

}  // namespace redial::inline REDIAL_ABI::testing::detail
