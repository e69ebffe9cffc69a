// SPDX-License-Identifier: Apache-2.0
// A thousand addresses of which ten are others now: what has changed, and a pool that follows.

#include <redial/watch/delta.hpp>

#include "micro/fixtures.hpp"
#include "micro/subject.hpp"
#include "micro/timed.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

namespace redial::micro {

namespace {

constexpr int addresses = 1000;
constexpr int replaced = 10;

/// Two snapshots in turn; the second has its own last ten addresses.
std::array<snapshot_ptr, 2> two_snapshots() {
  auto a = std::make_shared<snapshot>(fixed_snapshot(addresses + replaced));
  auto b = std::make_shared<snapshot>(*a);
  a->endpoints.resize(addresses);
  b->endpoints.erase(b->endpoints.end() - 2 * replaced, b->endpoints.end() - replaced);
  return {std::move(a), std::move(b)};
}

std::vector<endpoint> addresses_of(const snapshot& s) {
  std::vector<endpoint> all;
  for (const auto& e : s.endpoints) all.push_back(e.where);
  return all;
}

void expect_changes(std::size_t added, std::size_t removed) {
  if (added != replaced || removed != replaced) throw std::logic_error("another difference");
}

subject delta() {
  return {"snapshot/delta_between", [] {
            return [both = two_snapshots()](std::size_t n) {
              return timed([&] {
                for (std::size_t i = 0; i < n; ++i) {
                  const auto d = delta_between(both[i % 2], *both[1 - i % 2]);
                  expect_changes(d.added.size(), d.removed.size());
                }
              });
            };
          }};
}

// An answer comes in any order, so somebody has to sort it.
subject sorted_difference() {
  return {
      "snapshot/sort_and_set_difference", [] {
        const auto both = two_snapshots();
        return [old = addresses_of(*both[0]), now = addresses_of(*both[1])](std::size_t n) {
          return timed([&] {
            for (std::size_t i = 0; i < n; ++i) {
              std::vector<endpoint> sorted = now;
              std::sort(sorted.begin(), sorted.end());
              std::vector<endpoint> added;
              std::vector<endpoint> removed;
              std::set_difference(
                  sorted.begin(), sorted.end(), old.begin(), old.end(), std::back_inserter(added));
              std::set_difference(old.begin(),
                                  old.end(),
                                  sorted.begin(),
                                  sorted.end(),
                                  std::back_inserter(removed));
              expect_changes(added.size(), removed.size());
            }
          });
        };
      }};
}

/// Hands on what it is given.
class relay final : public endpoint_feed {
 public:
  [[nodiscard]] const std::string& name() const noexcept override { return name_; }
  void start(asio::any_io_executor, handler on_snapshot) override { tell = std::move(on_snapshot); }
  void stop() noexcept override { tell = nullptr; }
  void report(const endpoint&, endpoint_outcome, bool) override {}
  void refresh() override {}

  handler tell;

 private:
  const std::string name_ = "bench";
};

/// A pool that has a connection to each endpoint of what it was told last.
struct follower {
  follower() : follower(std::make_unique<relay>()) {}
  explicit follower(std::unique_ptr<relay> r)
      : feed(*r),
        pool(io.get_executor(),
             std::move(r),
             std::make_shared<instant_connector>(),
             warm_pool::options(),
             std::make_shared<bare_clock>()) {
    follow();
    const auto first = pool.try_checkout();  // starts the coarse clock
  }
  void follow() {
    auto s = std::make_shared<snapshot>(*both[generation % 2]);
    s->generation = ++generation;
    feed.tell(s);
    io.restart();
    io.poll();
  }

  const std::array<snapshot_ptr, 2> both = two_snapshots();
  std::uint64_t generation = 0;
  asio::io_context io;
  relay& feed;
  basic_pool<nothing> pool;
};

// With the ten connects and the ten closes.
subject apply() {
  return {"snapshot/apply_to_a_pool", [] {
            return [f = std::make_shared<follower>()](std::size_t n) {
              const auto opened = f->pool.counters().opened;
              const spent took = timed([&] {
                for (std::size_t i = 0; i < n; ++i) f->follow();
              });
              const auto g = f->pool.gauges();
              if (f->pool.counters().opened != opened + n * replaced || g.idle != addresses ||
                  g.endpoints_departed != 0) {
                throw std::logic_error("the pool has not followed");
              }
              return took;
            };
          }};
}

}  // namespace

std::vector<comparison> snapshot_comparisons() {
  std::vector<comparison> all;
  all.push_back({"difference of 1000 addresses, 10 replaced",
                 "CPU time, redial : sort + set_difference",
                 delta(),
                 sorted_difference()});
  all.push_back({"apply 1000 addresses to a pool, 10 replaced and connected",
                 "CPU time, redial : sort + set_difference",
                 apply(),
                 sorted_difference()});
  return all;
}

}  // namespace redial::micro
