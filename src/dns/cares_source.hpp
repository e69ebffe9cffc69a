// SPDX-License-Identifier: Apache-2.0
#pragma once

// The real source of answers: c-ares on an Asio executor.

#include <redial/ports/dns_source.hpp>
#include <redial/ports/scheduler.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {

class cares_source_state;

struct cares_options {
  cares_options() = default;

  /// As `address:port` or `[address]:port`, asked in this order. Empty: those of `resolv_conf`.
  std::vector<std::string> nameservers;
  /// Our own deadline for one question, over all tries and servers, from its turn on.
  duration query_timeout = std::chrono::seconds{5};
  /// Questions in flight at once; others wait their turn, in order and for as long as it takes.
  std::size_t max_in_flight = 64;
  /// Questions asked in any second (and a fiftieth more); others wait their turn. 0: no limit. What
  /// c-ares sends again because nobody answers is not counted.
  std::size_t max_per_second = 0;
  std::string resolv_conf = "/etc/resolv.conf";
  /// Of the order in which `options rotate` puts the servers.
  std::uint64_t seed = 0;
};

/// Asks real name servers, over UDP and, for truncated answers, TCP.
///
/// When no name server is known, questions end with `errc::no_dns_servers`. The c-ares channel is
/// built anew, at most once per second, after a refused connection or two questions in a row that
/// nobody answered, and at once when c-ares lost a question or spins; also when another server than
/// the first one answered (`server_order`) and when resolv.conf changed (`server_set`). Questions
/// in flight finish on the old one.
///
/// With c-ares 1.18.1 SERVFAIL and NOTIMP are indistinguishable from REFUSED and from a port where
/// nobody listens: all are `answer_outcome::refused`. Newer versions tell.
///
/// The environment (HOSTALIASES, LOCALDOMAIN, RES_OPTIONS) has no effect, except that newer c-ares
/// obeys `use-vc` in RES_OPTIONS, without a way to forbid it: then all questions go over TCP.
///
/// \par Threads One strand, the one given. Only the destructor and `rebuilds` may be called
///      elsewhere.
/// \par Lifetime Questions open at destruction end with `closed`. When the execution
/// context is
///      destroyed first, their handlers are destroyed without a call.
class cares_source final : public dns_source {
 public:
  explicit cares_source(std::shared_ptr<cares_source_state> state) noexcept;
  ~cares_source() override;
  cares_source(const cares_source&) = delete;
  cares_source& operator=(const cares_source&) = delete;

  void ask(const question& q, handler done) override;
  void close() noexcept override;
  [[nodiscard]] std::uint64_t rebuilds() const noexcept override;

 private:
  std::shared_ptr<cares_source_state> state_;
};

/// \throws std::invalid_argument naming the option, the value and what is legal.
[[nodiscard]] std::unique_ptr<cares_source> make_cares_source(boost::asio::any_io_executor strand,
                                                              const cares_options& options,
                                                              std::shared_ptr<scheduler> time);

}  // namespace redial::inline REDIAL_ABI::detail
