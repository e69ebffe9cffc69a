// SPDX-License-Identifier: Apache-2.0
#include "churn/backend_process.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <system_error>
#include <utility>

extern char** environ;

namespace redial::churn {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr int ready_fd = 3;
constexpr int control_fd = 4;
constexpr int start_limit_ms = 10'000;

class file_descriptor {
 public:
  explicit file_descriptor(int fd) noexcept : fd_(fd) {}
  file_descriptor(const file_descriptor&) = delete;
  file_descriptor& operator=(const file_descriptor&) = delete;
  ~file_descriptor() { close(); }
  void close() noexcept {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  [[nodiscard]] int get() const noexcept { return fd_; }

 private:
  int fd_;
};

[[noreturn]] void fail(const std::string& name, const std::string& why) {
  throw std::runtime_error(fmt::format("backend {}: {}", name, why));
}

// As the `backend` command reads them.
std::vector<std::string> arguments_of(const backend_options& o) {
  std::vector<std::string> args{"redial-churn", "backend", "--name", o.name, "--log", o.log};
  for (const auto& where : o.listen) args.insert(args.end(), {"--listen", where});
  if (!o.certificate.empty()) {
    args.insert(args.end(), {"--certificate", o.certificate, "--private-key", o.private_key});
  }
  if (o.grpc_port != 0) args.insert(args.end(), {"--grpc-port", std::to_string(o.grpc_port)});
  if (o.grpc_aged_port != 0) {
    args.insert(args.end(),
                {"--grpc-aged-port",
                 std::to_string(o.grpc_aged_port),
                 "--grpc-max-age-ms",
                 std::to_string(o.grpc_max_age_ms)});
  }
  if (o.stranger) args.emplace_back("--stranger");
  args.insert(args.end(),
              {"--ready-fd",
               std::to_string(ready_fd),
               "--control-fd",
               std::to_string(control_fd),
               "--parent",
               std::to_string(::getpid())});
  return args;
}

pid_t spawn(const std::string& name, std::vector<std::string> args, int ready, int control) {
  std::vector<char*> argv;
  for (auto& a : args) argv.push_back(a.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, ready, ready_fd);
  ::posix_spawn_file_actions_adddup2(&actions, control, control_fd);
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, "/proc/self/exe", &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) fail(name, std::generic_category().message(error));
  return pid;
}

// The first line that the child writes, or why there is none.
std::string await_line(int fd) {
  pollfd waiting{fd, POLLIN, 0};
  std::string line;
  std::array<char, 256> chunk{};
  while (line.find('\n') == line.npos) {
    const int ready = ::poll(&waiting, 1, start_limit_ms);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return "said nothing in time";
    const auto n = ::read(fd, chunk.data(), chunk.size());
    if (n <= 0) return line.empty() ? "ended" : line;
    line.append(chunk.data(), static_cast<std::size_t>(n));
  }
  return line.substr(0, line.find('\n'));
}

bool is_free(asio::io_context& io,
             const std::string& address,
             std::uint16_t& port,
             std::vector<tcp::acceptor>& held) {
  tcp::acceptor acceptor(io);
  boost::system::error_code ec;
  (void)acceptor.open(tcp::v4(), ec);
  if (!ec) (void)acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
  if (!ec) (void)acceptor.bind({asio::ip::make_address(address), port}, ec);
  if (!ec) (void)acceptor.listen(1, ec);
  if (ec) return false;
  port = acceptor.local_endpoint().port();
  held.push_back(std::move(acceptor));
  return true;
}

}  // namespace

backend_process::backend_process(const backend_options& options) : name_(options.name) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail(name_, std::generic_category().message(errno));
  file_descriptor reader(ends[0]);
  file_descriptor writer(ends[1]);
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    fail(name_, std::generic_category().message(errno));
  }
  control_ = ends[0];
  file_descriptor theirs(ends[1]);
  pid_ = spawn(name_, arguments_of(options), writer.get(), theirs.get());
  writer.close();
  const auto line = await_line(reader.get());
  if (line == "ready") return;
  kill();
  fail(name_, line);
}

backend_process::backend_process(backend_process&& other) noexcept
    : name_(std::move(other.name_)),
      pid_(std::exchange(other.pid_, -1)),
      control_(std::exchange(other.control_, -1)) {}

backend_process& backend_process::operator=(backend_process&& other) noexcept {
  if (this != &other) {
    kill();
    name_ = std::move(other.name_);
    pid_ = std::exchange(other.pid_, -1);
    control_ = std::exchange(other.control_, -1);
  }
  return *this;
}

backend_process::~backend_process() { kill(); }

void backend_process::tell(const std::string& command) {
  const auto line = command + "\n";
  if (::send(control_, line.data(), line.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(line.size())) {
    fail(name_, "does not hear '" + command + "'");
  }
  const auto answer = await_line(control_);
  if (answer != "ok") fail(name_, "'" + command + "': " + answer);
}

void backend_process::kill() noexcept {
  if (control_ >= 0) ::close(std::exchange(control_, -1));
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

std::uint16_t find_common_port(const std::vector<std::string>& addresses) {
  asio::io_context io;
  for (int tries = 0; tries < 100; ++tries) {
    std::vector<tcp::acceptor> held;
    std::uint16_t port = 0;
    bool all = true;
    for (const auto& address : addresses) all = all && is_free(io, address, port, held);
    if (all && port != 0) return port;
  }
  throw std::runtime_error("no port is free on all addresses of the backends");
}

}  // namespace redial::churn
