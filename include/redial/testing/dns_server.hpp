// SPDX-License-Identifier: Apache-2.0
#pragma once

// A scriptable DNS server inside the test program, on loopback, over UDP and TCP.

#include <redial/core/abi.hpp>
#include <redial/core/answer.hpp>
#include <redial/testing/dns_script.hpp>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {

/// Where a `dns_server` listens.
struct dns_server_options {
  dns_server_options() = default;

  std::string address = "127.0.0.1";  ///< A loopback address, IPv4 or IPv6.
  std::uint16_t port = 0;             ///< 0: the system chooses.
  std::uint64_t seed = 1;             ///< Of samples and shuffles.
};

/// An authoritative server for whatever it is told, misbehaving as it is told.
///
/// \code
///   dns_server dns;
///   dns.set("api.test", record_type::a, {"127.0.0.2", "127.0.0.3"}, 60s);
///   dns.fail("x.test", rcode::servfail);
///   dns.at(10s, [](dns_server& s) { s.set("api.test", record_type::a, {"127.0.0.4"}); });
///   discovery_options options;
///   options.nameservers = {dns.address()};
/// \endcode
///
/// A name that was never mentioned does not exist (NXDOMAIN). A name that has some type but not the
/// asked one is NODATA. CNAMEs are followed inside the script. Names are compared without case and
/// a trailing dot means nothing. EDNS is understood: an OPT in the query gets one in the response,
/// and a response larger than the client announced (512 without EDNS) is truncated.
///
/// \par Threads Runs on a thread of its own. Every member is safe from any thread, also from the
///      callbacks given to it. A change is in force when the member returns.
/// \par Lifetime The destructor closes the sockets and joins the thread. Not from a callback.
class REDIAL_API dns_server {
 public:
  /// \throws boost::system::system_error when the address or port is not to be had,
  ///         std::invalid_argument when `address` is no address.
  explicit dns_server(const dns_server_options& options = {});
  ~dns_server();
  dns_server(const dns_server&) = delete;
  dns_server& operator=(const dns_server&) = delete;

  /// The same for UDP and TCP, and after `stop()` and `start()`.
  [[nodiscard]] std::uint16_t port() const noexcept;
  /// `127.0.0.1:port` or `[::1]:port`: what `discovery_options::nameservers` takes.
  [[nodiscard]] std::string address() const;

  // What is said.

  /// The addresses of `name`, replacing earlier ones of that type. An empty list is NODATA.
  /// \throws std::invalid_argument for text that is no address of the type.
  void set(std::string_view name,
           record_type type,
           const std::vector<std::string>& addresses,
           std::chrono::seconds ttl = std::chrono::seconds{60});
  /// The SRV records of `name`, replacing earlier ones. An empty list is NODATA.
  void set_srv(std::string_view name,
               const std::vector<srv_data>& services,
               std::chrono::seconds ttl = std::chrono::seconds{60});
  /// Makes `name` an alias for every type.
  void set_cname(std::string_view name,
                 std::string_view target,
                 std::chrono::seconds ttl = std::chrono::seconds{60});
  /// The exact answer section for one question, any owner names and types in it.
  void set_records(std::string_view name, record_type type, std::vector<dns_record> answer);
  /// Negative answers for names in `zone` carry this SOA. The longest zone wins.
  void set_soa(std::string_view zone, std::chrono::seconds ttl, std::chrono::seconds minimum);
  /// Answers with `code`, until the name is set again, `fail` with `noerror`, or `remove`d.
  void fail(std::string_view name, rcode code);
  /// The same for one type only.
  void fail(std::string_view name, record_type type, rcode code);
  /// `name` does not exist any more; its manners, hooks and counts stay.
  void remove(std::string_view name);
  /// The response is whatever `hook` makes of the query. A null hook ends that.
  void raw(std::string_view name, record_type type, dns_raw_hook hook);

  // How it is said.

  /// In which order the records of an answer stand.
  void order(std::string_view name, record_type type, record_order order);
  /// Each answer carries `count` records at random, as Route 53 does with more than eight. 0: all.
  void sample(std::string_view name, record_type type, std::size_t count);
  /// How answers about `name` are sent, for every type.
  void behave(std::string_view name, const dns_manner& manner);
  /// The same for one type only.
  void behave(std::string_view name, record_type type, const dns_manner& manner);

  // The server as a whole.

  /// While true, queries are counted and logged but none is answered.
  void silence(bool on);
  /// What happens to those who come over TCP.
  void tcp(tcp_manner manner);
  /// Closes the port: UDP queries get ICMP port unreachable, TCP is refused. Idempotent.
  void stop();
  /// Opens the same port again. Idempotent.
  /// \throws boost::system::system_error when somebody else took the port meanwhile.
  void start();
  /// Runs `change` on the server's thread at `offset` from construction, or soon if that is past.
  /// It must not throw.
  void at(duration offset, std::function<void(dns_server&)> change);

  // What was asked.

  /// Queries that have arrived, answered or not: all,
  [[nodiscard]] std::size_t queries() const;
  /// those about `name`,
  [[nodiscard]] std::size_t queries(std::string_view name) const;
  /// and those of one type.
  [[nodiscard]] std::size_t queries(std::string_view name, record_type type) const;
  /// In order of arrival; the first 100 000.
  [[nodiscard]] std::vector<dns_query> log() const;
  /// Waits until `name` was asked for at least `count` times in all. False when `limit` passed
  /// first. Not from a callback.
  [[nodiscard]] bool wait_for_queries(std::string_view name,
                                      std::size_t count,
                                      duration limit = std::chrono::seconds{30}) const;

 private:
  class state;
  std::unique_ptr<state> state_;
};

}  // namespace redial::inline REDIAL_ABI::testing
