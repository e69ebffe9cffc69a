// SPDX-License-Identifier: Apache-2.0
#pragma once

// A source of DNS answers that says what a test tells it to, in simulated time.

#include <redial/core/abi.hpp>
#include <redial/core/answer.hpp>
#include <redial/core/time.hpp>
#include <redial/ports/dns_source.hpp>
#include <redial/ports/scheduler.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {

class simulation;

/// What one question gets.
struct scripted_answer {
  scripted_answer() = default;
  answer_outcome outcome = answer_outcome::records;  ///< What kind of answer it is.
  /// Sorted and filtered as a real source does; with none left, `records` becomes `no_data`. For A
  /// and AAAA questions.
  std::vector<address> addresses;
  /// The same for SRV questions. The target "." alone is `errc::no_service`.
  std::vector<srv_record> services;
  std::chrono::seconds ttl{60};  ///< Of all its records.
  /// Clear: the usual one of the outcome (`errc::dns_timeout`, ...).
  error_code error;
  /// How long it takes. Unset: what `latency()` says.
  std::optional<duration> latency;
};

/// A question that somebody asked.
struct asked_question {
  question what;    ///< Name and type.
  time_point at{};  ///< When.
};

/// A `dns_source` that follows a script. A name without one does not exist (`name_not_found`).
///
/// \code
///   scripted_dns dns(sim);
///   dns.set("api.test", {"10.0.0.1", "10.0.0.2"}, 5s);
///   auto d = discovery::create(sim.executor(), {}, dns.share(), sim.time());
///   dns.set("api.test", {"10.0.0.3"}, 5s);     // what the next question gets
///   dns.fail("api.test", answer_outcome::timeout);
///   dns.set_srv("calc.test", {{"api.test", 8080}, {"spare.test", 8080, 1}}, 5s);
/// \endcode
///
/// Names are given in any case, with or without the trailing dot.
///
/// \par Threads Safe from any thread; handlers are posted to the executor.
/// \par Lifetime What `share()` gave may outlive this object.
class REDIAL_API scripted_dns final : public dns_source {
 public:
  /// On the executor and the clock of `sim`.
  explicit scripted_dns(simulation& sim);
  /// On an executor and a clock of one's own.
  scripted_dns(boost::asio::any_io_executor executor, std::shared_ptr<scheduler> time);
  /// As `close()`.
  ~scripted_dns() override;
  scripted_dns(const scripted_dns&) = delete;
  scripted_dns& operator=(const scripted_dns&) = delete;

  /// Another source over the same script, for a discovery to own. Closing it leaves this one open.
  [[nodiscard]] std::unique_ptr<dns_source> share() const;

  /// Both families: the IPv4 ones answer A, the others AAAA.
  /// \throws std::invalid_argument naming what is no address.
  void set(std::string_view name,
           const std::vector<std::string>& addresses,
           std::chrono::seconds ttl = std::chrono::seconds{60});
  /// SRV. The targets' addresses are scripts of their own.
  void set_srv(std::string_view name,
               std::vector<srv_record> services,
               std::chrono::seconds ttl = std::chrono::seconds{60});
  /// One family, or any answer at all.
  void set(const question& q, scripted_answer a);
  /// One answer per question; then the last one again and again, or all over again.
  void sequence(const question& q, std::vector<scripted_answer> answers, bool repeat_all = false);
  /// The same for both families, each list of addresses being one answer.
  void sequence(std::string_view name,
                const std::vector<std::vector<std::string>>& answers,
                std::chrono::seconds ttl,
                bool repeat_all = false);
  /// The same for SRV, each list of records being one answer.
  void sequence_srv(std::string_view name,
                    std::vector<std::vector<srv_record>> answers,
                    std::chrono::seconds ttl,
                    bool repeat_all = false);
  /// Every type fails so from now on. `error` clear: the outcome's usual one.
  void fail(std::string_view name, answer_outcome outcome, error_code error = {});
  /// Nobody answers: `timeout` when `give_up_after` has passed.
  void silence(std::string_view name);
  /// Forgets the script of a name.
  void remove(std::string_view name);

  /// How long an answer takes unless it says so itself. Zero (the default): posted at once.
  void latency(duration d);
  /// The source's own deadline; a slower answer is a `timeout`. 5 s by default.
  void give_up_after(duration d);

  void ask(const question& q, handler done) override;
  void close() noexcept override;

  /// Everything asked so far, of this source and of all shared ones.
  [[nodiscard]] std::vector<asked_question> asked() const;
  /// Questions about `name` so far, of every type.
  [[nodiscard]] std::size_t times_asked(std::string_view name) const;
  /// The same of one type.
  [[nodiscard]] std::size_t times_asked(const question& q) const;
  /// Asked and not answered yet.
  [[nodiscard]] std::size_t in_flight() const;
  /// Most questions for one (name, type) that were ever in flight at once.
  [[nodiscard]] std::size_t most_in_flight_per_question() const;

 private:
  struct script;
  struct asking;
  explicit scripted_dns(std::shared_ptr<script> s);

  std::shared_ptr<script> script_;
  std::shared_ptr<asking> asking_;
};

}  // namespace redial::inline REDIAL_ABI::testing
