// SPDX-License-Identifier: Apache-2.0
// What a checkout and return of an idle connection cost, beside the least that a shared pool could
// cost: one std::mutex around a vector, locked once for each. Both read where the connection is.

#include "micro/fixtures.hpp"
#include "micro/subject.hpp"
#include "micro/timed.hpp"

#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace redial::micro {

namespace {

/// Does something else, about a third of a nanosecond long each step.
void use(std::size_t steps) {
  for (std::size_t i = 0; i < steps; ++i) consume(i);
}

/// The least: a vector under a mutex, last in, first out.
class plain_pool {
 public:
  plain_pool() {
    for (auto& c : connections_) put(&c);
  }
  void put(nothing* c) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(c);
  }
  nothing* take() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return nullptr;
    nothing* c = idle_.back();
    idle_.pop_back();
    return c;
  }
  void cycle(std::size_t n, std::size_t steps = 0) {
    for (std::size_t i = 0; i < n; ++i) {
      nothing* c = take();
      consume(c);
      use(steps);
      put(c);
      use(steps);
    }
  }

 private:
  std::mutex mutex_;
  std::vector<nothing*> idle_;
  std::vector<nothing> connections_{3, nothing({})};
};

void cycle(basic_pool<nothing>& pool, std::size_t n, std::size_t steps = 0) {
  for (std::size_t i = 0; i < n; ++i) {
    {
      auto l = pool.try_checkout();
      if (!l) throw std::logic_error("found no idle connection");
      consume(&**l);
      use(steps);
    }
    use(steps);
  }
}

subject plain() {
  return {"mutex_and_vector",
          [] {
            return [pool = std::make_shared<plain_pool>(),
                    other = std::make_shared<second_thread>()](std::size_t n) {
              return timed([&] { pool->cycle(n); });
            };
          },
          false};
}

subject pool_of(int endpoints, int weights = 1) {
  return {(weights == 1 ? "pool/" : "pool_weighted/") + std::to_string(endpoints),
          [=] {
            return [warm = std::make_shared<warm_pool>(endpoints, weights),
                    other = std::make_shared<second_thread>()](std::size_t n) {
              return timed([&] { cycle(warm->pool, n); });
            };
          },
          false};
}

// glibc's locks are no atomic operations as long as no thread was ever started.
subject plain_alone() {
  return {"single_threaded/mutex_and_vector",
          [] {
            return [pool = std::make_shared<plain_pool>()](std::size_t n) {
              return timed([&] { pool->cycle(n); });
            };
          },
          false};
}
subject pool_alone(int endpoints) {
  return {"single_threaded/pool/" + std::to_string(endpoints),
          [=] {
            return [warm = std::make_shared<warm_pool>(endpoints)](std::size_t n) {
              return timed([&] { cycle(warm->pool, n); });
            };
          },
          false};
}

// Two threads do nothing else, or have something to do with what they got and before the next.
const char* suffix(std::size_t steps) { return steps == 0 ? "" : "/in_use"; }

subject plain_shared(std::size_t steps) {
  return {std::string("two_threads/one_mutex_and_vector") + suffix(steps),
          [=] {
            return [pool = std::make_shared<plain_pool>(), both = std::make_shared<team>(), steps](
                       std::size_t n) {
              return both->run([&](std::size_t) { pool->cycle(n, steps); });
            };
          },
          false};
}
subject pool_shared(std::size_t steps) {
  return {std::string("two_threads/one_pool") + suffix(steps),
          [=] {
            return [warm = std::make_shared<warm_pool>(3), both = std::make_shared<team>(), steps](
                       std::size_t n) {
              return both->run([&](std::size_t) { cycle(warm->pool, n, steps); });
            };
          },
          false};
}

// Through the team, too, so that both sides pay for it.
subject one_of_two() {
  return {"one_thread/own_pool",
          [] {
            return [warm = std::make_shared<warm_pool>(3),
                    both = std::make_shared<team>()](std::size_t n) {
              return both->run(
                  [&](std::size_t who) {
                    if (who == 0) cycle(warm->pool, n);
                  },
                  1);
            };
          },
          false};
}
subject pool_each() {
  return {"two_threads/own_pools",
          [] {
            return [a = std::make_shared<warm_pool>(3),
                    b = std::make_shared<warm_pool>(3),
                    both = std::make_shared<team>()](std::size_t n) {
              return both->run([&](std::size_t who) { cycle(who == 0 ? a->pool : b->pool, n); });
            };
          },
          false};
}

// What the machine itself takes from two threads that share nothing.
subject plain_one_of_two() {
  return {"one_thread/own_mutex_and_vector",
          [] {
            return [pool = std::make_shared<plain_pool>(),
                    both = std::make_shared<team>()](std::size_t n) {
              return both->run(
                  [&](std::size_t who) {
                    if (who == 0) pool->cycle(n);
                  },
                  1);
            };
          },
          false};
}
subject plain_each() {
  return {"two_threads/own_mutexes_and_vectors",
          [] {
            return [a = std::make_shared<plain_pool>(),
                    b = std::make_shared<plain_pool>(),
                    both = std::make_shared<team>()](std::size_t n) {
              return both->run([&](std::size_t who) { (who == 0 ? a : b)->cycle(n); });
            };
          },
          false};
}

comparison against_plain(std::string name, subject candidate, double at_most) {
  comparison c{std::move(name), "CPU time, redial : mutex + vector", std::move(candidate), plain()};
  c.at_most = at_most;
  return c;
}

}  // namespace

// Between the first pool and the others the order matters: see subject.hpp.
std::vector<comparison> checkout_comparisons() {
  std::vector<comparison> all;
  comparison alone{"checkout + return, 3 endpoints, process with one thread",
                   "CPU time, redial : mutex + vector",
                   pool_alone(3),
                   plain_alone()};
  alone.at_most = 1.5;
  all.push_back(std::move(alone));
  for (const int n : {1, 3, 100, 1000}) {
    all.push_back(against_plain(
        "checkout + return, " + std::to_string(n) + (n == 1 ? " endpoint" : " endpoints"),
        pool_of(n),
        1.5));
  }
  for (const std::size_t steps : {0U, 300U}) {
    comparison contended{steps == 0
                             ? "checkout + return, 2 threads on one pool, nothing else done"
                             : "checkout + return, 2 threads on one pool, 0.2 us of work besides",
                         "time, redial : mutex + vector",
                         pool_shared(steps),
                         plain_shared(steps)};
    contended.by = &spent::wall_ns;
    contended.at_most = 1.0;
    all.push_back(std::move(contended));
  }
  comparison apart{"checkout + return, 2 threads with a pool each",
                   "CPU time of one operation, 2 threads : 1 thread",
                   pool_each(),
                   one_of_two()};
  apart.at_most = 1.05;
  all.push_back(std::move(apart));
  all.push_back({"mutex + vector, 2 threads with one each",
                 "CPU time of one operation, 2 threads : 1 thread",
                 plain_each(),
                 plain_one_of_two()});
  comparison many{"checkout + return", "CPU time, 1000 endpoints : 3", pool_of(1000), pool_of(3)};
  many.at_most = 2.0;
  all.push_back(std::move(many));
  return all;
}

}  // namespace redial::micro
