// SPDX-License-Identifier: Apache-2.0
#include "support/web_server.hpp"

#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include <stdexcept>

namespace redial::inline REDIAL_ABI::testing {

namespace {

const std::string& nginx() {
  static const std::string path = find_program({"/usr/sbin/nginx", "/usr/bin/nginx"});
  return path;
}

std::string server_block(const nginx_options& o, const std::string& address) {
  const bool tls = !o.certificate.empty();
  std::string text =
      fmt::format("  server {{\n    listen {}:{}{};\n", address, o.port, tls ? " ssl" : "");
  if (tls) {
    text += fmt::format(
        "    ssl_certificate {};\n    ssl_certificate_key {};\n", o.certificate, o.private_key);
  }
  // A POST needs a location that reads the body; `return` answers any method.
  text += fmt::format("    location / {{ default_type text/plain; return 200 \"{}\\n\"; }}\n  }}\n",
                      address);
  return text;
}

}  // namespace

bool nginx_server::is_installed() { return !nginx().empty(); }

nginx_server::nginx_server(const nginx_options& options) : options_(options) {
  if (options_.port == 0) options_.port = free_port(options_.addresses);
  start();
}

nginx_server::~nginx_server() { stop(); }

void nginx_server::start() {
  const auto home = dir_.path().string();
  std::string text = fmt::format(
      "{0}daemon off;\nmaster_process off;\nworker_processes 1;\npid {1}/pid;\nerror_log stderr "
      "notice;\n"
      "events {{ worker_connections 512; }}\n"
      "http {{\n  access_log off;\n  keepalive_requests 100000;\n"
      "  client_body_temp_path {1}/body;\n  proxy_temp_path {1}/proxy;\n"
      "  fastcgi_temp_path {1}/fastcgi;\n  uwsgi_temp_path {1}/uwsgi;\n  scgi_temp_path "
      "{1}/scgi;\n",
      ::geteuid() == 0 ? "user root;\n" : "",
      home);
  for (const auto& a : options_.addresses) text += server_block(options_, a);
  text += "}\n";
  const auto config = dir_.write("nginx.conf", text);
  process_ = std::make_unique<child_process>(
      std::vector<std::string>{nginx(), "-e", "stderr", "-p", home, "-c", config});
  // Said after the sockets are open, when the event loop is about to start.
  if (!process_->wait_for_line("OS: ")) {
    throw std::runtime_error("nginx did not start: " + process_->output());
  }
}

void nginx_server::stop() {
  if (!process_) return;
  process_->signal(SIGKILL);
  process_->wait();
  process_.reset();
}

}  // namespace redial::inline REDIAL_ABI::testing
