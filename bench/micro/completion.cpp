// SPDX-License-Identifier: Apache-2.0
// What it takes to complete an operation through the library's own holder of a handler, beside
// Asio's post of the same handler.

#include <redial/ports/completion.hpp>

#include "micro/fixtures.hpp"
#include "micro/subject.hpp"
#include "micro/timed.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

namespace redial::micro {

namespace {

/// Operations one after the other: each is started by the completion of the one before, as a
/// program does it, so that Asio may use the memory of the last one again.
struct chain {
  std::size_t left = 0;
  asio::io_context io{1};
  const asio::any_io_executor executor = io.get_executor();

  template <class Start>
  void run(std::size_t n, const Start& start) {
    left = n;
    io.restart();
    start(*this);
    io.run();
  }
};

struct through_completion {
  void operator()(chain& c) const {
    const auto on_end = [&c, this](error_code) {
      if (--c.left > 0) (*this)(c);
    };
    detail::completion<void(error_code)> held(on_end, c.executor);
    std::move(held).post(c.executor, error_code{});
  }
};

struct by_post {
  void operator()(chain& c) const {
    asio::post(c.executor, [&c, this, ec = error_code{}] {
      consume(ec);
      if (--c.left > 0) (*this)(c);
    });
  }
};

// What any type-erased handler costs, ours apart.
struct by_any_completion_handler {
  void operator()(chain& c) const {
    const auto on_end = [&c, this](error_code) {
      if (--c.left > 0) (*this)(c);
    };
    asio::any_completion_handler<void(error_code)> held(on_end);
    asio::post(c.executor, asio::prepend(std::move(held), error_code{}));
  }
};

template <class Start>
subject chained(const char* name) {
  return {name, [] {
            return [c = std::make_shared<chain>(), start = Start{}](std::size_t n) {
              return timed([&] { c->run(n, start); });
            };
          }};
}

}  // namespace

std::vector<comparison> completion_comparisons() {
  const subject plain = chained<by_post>("completion/post");
  std::vector<comparison> all;
  all.push_back({"completion of an operation",
                 "CPU time, redial : post",
                 chained<through_completion>("completion/redial"),
                 plain});
  all.push_back({"completion of an operation",
                 "CPU time, any_completion_handler : post",
                 chained<by_any_completion_handler>("completion/any_completion_handler"),
                 plain});
  return all;
}

}  // namespace redial::micro
