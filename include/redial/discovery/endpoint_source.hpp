// SPDX-License-Identifier: Apache-2.0
#pragma once

// Endpoints from somewhere else than DNS: a registry's API, a configuration service, a test.

#include <redial/core/abi.hpp>
#include <redial/core/error.hpp>
#include <redial/core/target.hpp>
#include <redial/watch/source_answer.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace redial::inline REDIAL_ABI {

/// What a user implements to feed a discovery, for instance from Cloud Map's DiscoverInstances or
/// Consul's HTTP API. See `discovery_options::sources`.
///
/// The rules for DNS hold here too: refreshed in the background when the TTL ends, last known good
/// in a failure (`watch_options::on_empty_source` for an empty answer), backoff.
///
/// Precedence, highest first: the target's own addresses (`static://`, literals, `localhost`); the
/// sources, in the order of the option; the hosts file; DNS. The first that has endpoints serves
/// alone; one further down is asked only while those above it have none. Nothing is merged across
/// sources: two views of one service are not one bigger service.
class REDIAL_API endpoint_source {
 public:
  /// Takes the answer to one `fetch`.
  using answer_handler = std::function<void(const source_answer&)>;
  /// Says that a target is worth fetching.
  using news_handler = std::function<void(const target&)>;

  virtual ~endpoint_source() = default;

  /// Short; for events and `explain`.
  [[nodiscard]] virtual std::string label() const = 0;
  /// True when it is to be asked about `t`. Asked whenever somebody subscribes to `t` or has it
  /// explained; an answer that changes holds for those who come later.
  ///
  /// \par Threads Any; it must not block.
  [[nodiscard]] virtual bool serves(const target& t) const = 0;
  /// Asks for all endpoints of `t`. Never for a target that is being fetched already.
  ///
  /// `done` is to be called once, from any thread, also from inside `fetch`. Later calls are
  /// ignored; when none comes within `discovery_options::query_timeout` it counts as
  /// `answer_outcome::timeout`. `done` may be kept longer than the discovery lives.
  /// \par Threads The discovery's executor; it must not block or throw.
  virtual void fetch(const target& t, answer_handler done) = 0;
  /// Called once by each discovery that uses the source: whenever there is news about a target
  /// (a blocking query returned, a webhook came), call `news`, from any thread; it is then fetched
  /// at once, at most every `ttl_floor`. Nothing by default: the TTL decides alone.
  virtual void watch(news_handler news) { (void)news; }
};

/// A source that is told its endpoints.
///
/// \code
///   auto registry = std::make_shared<pushed_source>("registry");
///   registry->set(target("tcp://calc.local:9000"), {sourced_endpoint(endpoint(a, 9000))});
/// \endcode
///
/// \par Threads Safe from any thread.
class REDIAL_API pushed_source final : public endpoint_source {
 public:
  /// Serves every target that `set` or `fail` was called for before it is first subscribed to.
  explicit pushed_source(std::string label = "pushed");
  ~pushed_source() override;
  pushed_source(const pushed_source&) = delete;
  pushed_source& operator=(const pushed_source&) = delete;

  /// All endpoints of `t` from now on; empty: it has none.
  void set(const target& t, std::vector<sourced_endpoint> endpoints);
  /// The truth about `t` cannot be told for now; what was known stays, and grows stale.
  void fail(const target& t, error_code why);

  [[nodiscard]] std::string label() const override;
  [[nodiscard]] bool serves(const target& t) const override;
  void fetch(const target& t, answer_handler done) override;
  void watch(news_handler news) override;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace redial::inline REDIAL_ABI
