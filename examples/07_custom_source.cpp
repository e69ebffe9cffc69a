// SPDX-License-Identifier: Apache-2.0
// Endpoints from a registry's API instead of DNS: Cloud Map's DiscoverInstances, Consul's HTTP API,
// a file of one's own. While the registry has nothing to say, the hosts file and DNS serve.

#include <redial/discovery/discovery.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <iostream>
#include <memory>

namespace {

/// Asks the registry when its answer is due; here the registry is a function. A real one would
/// start an HTTP request in `fetch` and call `done` when it has ended, on whatever thread.
class registry_source final : public redial::endpoint_source {
 public:
  explicit registry_source(boost::asio::any_io_executor executor)
      : executor_(std::move(executor)) {}

  std::string label() const override { return "registry"; }
  bool serves(const redial::target& t) const override {
    return t.host().text().ends_with(".registry.internal");
  }
  void fetch(const redial::target& t, answer_handler done) override {
    boost::asio::post(executor_, [name = t.host().text(), done = std::move(done)] {
      done(discover_instances(name));
    });
  }

 private:
  static redial::source_answer discover_instances(const std::string& name) {
    redial::source_answer answer;
    answer.ttl = std::chrono::seconds{5};
    for (const char* where : {"10.0.0.1", "10.0.0.2"}) {
      redial::sourced_endpoint instance(redial::endpoint(*redial::parse_address(where), 9000));
      instance.healthy = std::string_view(where) != "10.0.0.2";
      instance.metadata["service"] = name;
      answer.endpoints.push_back(std::move(instance));
    }
    return answer;
  }

  boost::asio::any_io_executor executor_;
};

}  // namespace

int main() {
  boost::asio::io_context io;
  redial::discovery_options options;
  options.sources = {std::make_shared<registry_source>(io.get_executor())};
  auto names = redial::discovery::create(io.get_executor(), options);

  std::size_t healthy = 0;
  redial::subscription calc = names->subscribe(redial::target("tcp://calc.registry.internal:9000"),
                                               io.get_executor(),
                                               [&](const redial::snapshot_ptr& s) {
                                                 healthy = s->endpoints.size();
                                                 for (const auto& e : s->endpoints) {
                                                   std::cout << to_string(e.where) << " of "
                                                             << e.metadata->at("service") << '\n';
                                                 }
                                                 names->close();  // lets io.run() return
                                               });
  io.run();
  return healthy == 1 ? 0 : 1;  // the unhealthy one is left out
}
