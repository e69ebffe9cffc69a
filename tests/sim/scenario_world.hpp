// SPDX-License-Identifier: Apache-2.0
#pragma once

// One seed, one short history: a few clients and pools over one discovery, whose names, peers and
// callers do whatever the seed says. After every event the invariants must hold.

#include <redial/client/client.hpp>
#include <redial/discovery/discovery.hpp>
#include <redial/testing/scripted_dns.hpp>
#include <redial/testing/simulation.hpp>

#include "scenario_parts.hpp"

#include <boost/asio/cancellation_signal.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {

/// What a history came to.
struct scenario_result {
  std::string broken;       ///< The invariants that did not hold, with their instants.
  std::uint64_t trace = 0;  ///< Digest of all that callers saw, and when.
  std::uint64_t operations = 0;
  std::uint64_t failed = 0;
  std::uint64_t leases = 0;  ///< Handed to callers, and to operations of calls.
  std::uint64_t cancelled = 0;
  std::uint64_t ended = 0;  ///< Clients and pools that ended while in use.
  std::uint64_t panics = 0;
  std::map<endpoint_change, std::uint64_t> changes;
};

class scenario_world {
 public:
  /// `loud`: tells what happens on standard output.
  explicit scenario_world(std::uint64_t seed, bool loud = false);
  ~scenario_world();
  scenario_world(const scenario_world&) = delete;
  scenario_world& operator=(const scenario_world&) = delete;

  scenario_result live();

 private:
  static constexpr std::size_t backend_count = 6;
  static constexpr std::size_t name_count = 2;
  static constexpr std::array<const char*, name_count> names = {"a.test", "b.test"};

  enum class mood { well, slow, refuses, hangs, fails, silent, stranger, local_fault };
  struct backend {
    mood is = mood::well;
    time_point well_since{};
  };
  struct user;
  struct started;
  struct exchange;

  // The script: scenario_world.cpp.
  [[nodiscard]] discovery_options roll_discovery();
  [[nodiscard]] client_options roll_options(const user& u);
  void add_user();
  void step();
  void change_dns();
  void publish(std::size_t name, std::set<std::size_t> members);
  void publish_services();
  void rotate(std::size_t name);
  void fail_dns(std::size_t name);
  void change_backend();
  void set_mood(std::size_t number, mood m);
  void apply_mood(user& u, std::size_t number);
  void disturb_peer();
  void end_something();

  // What callers do: scenario_acts.cpp.
  void act(user& u);
  void call(user& u, bool must_succeed = false);
  void run(user& u, attempt& a, scripted_connection& c, operation_handler done);
  void check_out(user& u, bool must_succeed = false);
  void try_check_out(user& u);
  void drain(user& u);
  void keep(user& u, lease<scripted_connection> l);
  void give_back(user& u, lease<scripted_connection>& l);
  void cancel(started& s);
  void cancel_many();
  void end(user& u);
  [[nodiscard]] call_options roll_call();
  [[nodiscard]] started& begin(user& u, std::string_view what, time_point by);
  void complete(started& s, const error_code& ec);

  // The invariants: scenario_checks.cpp.
  void check();
  void check_counts(user& u);
  void check_waiters(user& u);
  [[nodiscard]] std::size_t taken_away(const user& u) const;
  void check_usable(user& u, const pool_explanation& x);
  void check_retained(const user& u, const pool_explanation& before, time_point now);
  void check_belief(user& u, const pool_explanation& x);
  [[nodiscard]] bool must_be_usable(const user& u, std::size_t number) const;
  void judge_lease(user& u, const endpoint& where, std::uint64_t connection);
  [[nodiscard]] std::string fault_of_lease(user& u,
                                           const pooled_endpoint_explanation& e,
                                           time_point given) const;
  void settle_suspects();
  void heal();
  void check_healed(user& u);
  void finish();
  void broke(const std::string& what);

  [[nodiscard]] static endpoint where(std::size_t number);
  [[nodiscard]] static std::size_t number_of(const endpoint& e);
  [[nodiscard]] std::size_t below(std::size_t n);
  [[nodiscard]] bool chance(unsigned percent) { return below(100) < percent; }
  [[nodiscard]] duration between(duration low, duration high);
  void note(std::uint64_t word) noexcept;
  void say(const std::string& what);

  struct suspect {
    user* of;
    endpoint where;
    std::string why;
  };

  const bool loud_;
  simulation sim_;
  scripted_dns dns_{sim_};
  std::shared_ptr<discovery> names_;
  std::array<backend, backend_count> backends_;
  std::array<std::set<std::size_t>, name_count> members_;  // as last published
  std::shared_ptr<answer_witness> heard_ = std::make_shared<answer_witness>(sim_);
  std::vector<std::unique_ptr<user>> users_;
  std::list<started> operations_;
  struct holding {
    user* of;
    std::uint64_t connection;
    lease<scripted_connection> what;
  };
  std::map<std::uint64_t, holding> held_;
  std::vector<operation_handler> deaf_;  // of operations that never end
  std::uint64_t holds_ = 0;
  std::vector<suspect> suspects_;
  bool acted_ = false;
  bool quiet_time_ = false;  // all is well again: operations go well
  time_point end_{};
  scenario_result result_;
};

/// A client or a pool, and what is known of it besides.
struct scenario_world::user {
  user(simulation& sim, std::size_t n)
      : name(n),
        net(std::make_shared<witnessed_connector>(sim)),
        seen(std::make_shared<witness>(sim)) {
    known_since.fill(time_point::max());
  }

  /// Null when it was destroyed.
  [[nodiscard]] detail::pool_base* base() {
    if (client) return &detail::access::base(*client).pool();
    return pool ? &detail::access::base(*pool) : nullptr;
  }

  [[nodiscard]] bool has_services() const { return name == name_count; }

  const std::size_t name;  // of `names`; beyond them: the service that has both as targets
  std::shared_ptr<witnessed_connector> net;
  std::shared_ptr<witness> seen;
  std::shared_ptr<witnessed_probe> probe;
  client_options options;
  std::optional<basic_client<scripted_connection>> client;
  std::optional<basic_pool<scripted_connection>> pool;
  time_point ended_at = time_point::max();  // closed, or destroyed
  bool ending = false;                      // no new work is promised to be done
  pool_explanation last_look;
  time_point slandered_at = time_point::min();  // a caller said that a stranger had answered
  std::set<std::uint64_t> lent;                 // connections in somebody's hands
  // It believed these from then on, while they were listed, and must not forget them.
  std::array<time_point, backend_count> known_since{};
};

/// One asynchronous operation.
struct scenario_world::started {
  started(user& u, std::string_view w, time_point t) : of(&u), what(w), by(t) {}

  user* of;
  std::string_view what;
  time_point by;
  int completions = 0;
  bool must_succeed = false;
  boost::asio::cancellation_signal signal;
};

}  // namespace redial::inline REDIAL_ABI::testing
