// SPDX-License-Identifier: Apache-2.0
#include "churn/backend.hpp"
#include "churn/commands.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace redial::churn {

void add_backend(CLI::App& app, invocation& self) {
  auto& backend = *app.add_subcommand("backend", "The service, as the other commands start it");
  const auto o = std::make_shared<backend_options>();
  backend.add_option("--listen", o->listen, "address:port")->required();
  backend.add_option("--name", o->name, "Body of its responses")->required();
  backend.add_option("--log", o->log, "File that requests are appended to")->required();
  backend.add_option("--certificate", o->certificate, "PEM; speaks TLS");
  backend.add_option("--private-key", o->private_key, "PEM");
  backend.add_option("--grpc-port", o->grpc_port, "Speaks gRPC there, too");
  backend.add_option("--grpc-aged-port", o->grpc_aged_port, "And there, ending connections");
  backend.add_option("--grpc-max-age-ms", o->grpc_max_age_ms, "... at this age");
  backend.add_flag("--stranger", o->stranger, "Is another service");
  backend.add_option("--ready-fd", o->ready_fd, "Descriptor to tell when it listens");
  backend.add_option("--control-fd", o->control_fd, "Socket with commands");
  backend.add_option("--parent", o->parent, "Process to die with");
  backend.callback([o, &self] { self.status = run_backend(*o); });
}

}  // namespace redial::churn
