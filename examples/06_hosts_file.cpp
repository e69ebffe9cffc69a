// SPDX-License-Identifier: Apache-2.0
// A hosts file as the source of truth: written atomically, followed while the program runs.
// An address that is added counts at once; one that is removed goes after 5 s, and a file that is
// empty or torn removes nothing.

#include <redial/discovery/endpoint_watcher.hpp>
#include <redial/dns/hosts_writer.hpp>

#include <boost/asio/io_context.hpp>

#include <cstdlib>
#include <filesystem>
#include <iostream>

int main() {
  std::string folder = (std::filesystem::temp_directory_path() / "redial-hosts-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return 1;

  redial::hosts_update update;
  update.path = folder + "/hosts";
  update.hosts["db.internal"] = {*redial::parse_address("10.0.0.1")};
  redial::error_code failed = redial::write_hosts(update);

  boost::asio::io_context io;
  redial::discovery_options options;
  options.hosts_path = update.path;  // the default is /etc/hosts
  auto names = redial::discovery::create(io.get_executor(), options);

  bool moved = false;
  redial::endpoint_watcher watcher(
      io.get_executor(),
      names,
      redial::target("tcp://db.internal:5432"),
      [&](const redial::endpoint_delta& delta, const redial::snapshot_ptr&) {
        for (const auto& e : delta.added) std::cout << "+ " << to_string(e.where) << '\n';
        for (const auto& e : delta.removed) std::cout << "- " << to_string(e.where) << '\n';
        if (!delta.removed.empty()) {
          watcher.close();
          names->close();  // lets io.run() return
        } else if (!moved) {
          moved = true;
          update.hosts["db.internal"] = {*redial::parse_address("10.0.0.2")};
          failed = redial::write_hosts(update);
        }
      });
  if (!failed) io.run();
  if (failed) std::cerr << update.path << ": " << failed.message() << '\n';
  std::filesystem::remove_all(folder);
  return failed ? 1 : 0;
}
