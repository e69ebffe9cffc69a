// SPDX-License-Identifier: Apache-2.0
#include "support/child_process.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

namespace redial::inline REDIAL_ABI::testing {

namespace {

namespace asio = boost::asio;

// Only async-signal-safe calls between fork and exec.
[[noreturn]] void become(char* const* arguments, int out, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(out, STDERR_FILENO);
  const int nothing = ::open("/dev/null", O_RDONLY);
  if (nothing >= 0) ::dup2(nothing, STDIN_FILENO);
  ::execvp(arguments[0], arguments);
  ::_exit(127);
}

std::size_t count(std::string_view where, std::string_view what) {
  std::size_t n = 0;
  for (auto at = where.find(what); at != std::string_view::npos; at = where.find(what, at + 1)) ++n;
  return n;
}

template <class Protocol>
bool can_bind(asio::io_context& io, const asio::ip::address& where, std::uint16_t port) {
  boost::system::error_code ec;
  typename Protocol::socket s(io);
  s.open(typename Protocol::endpoint(where, port).protocol(), ec);
  if (!ec) s.bind({where, port}, ec);
  return !ec;
}

}  // namespace

child_process::child_process(const std::vector<std::string>& arguments) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
  std::vector<char*> raw;
  for (const auto& a : arguments) raw.push_back(const_cast<char*>(a.c_str()));
  raw.push_back(nullptr);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) become(raw.data(), ends[1], parent);
  ::close(ends[1]);
  if (pid_ < 0) {
    ::close(ends[0]);
    throw std::runtime_error("fork failed for " + arguments.front());
  }
  reader_ = std::thread([this, fd = ends[0]] { read_output(fd); });
}

child_process::~child_process() {
  if (!waited_) {
    ::kill(pid_, SIGKILL);
    wait();
  }
  // Grandchildren may hold the pipe open a moment longer; they end with their parent.
  reader_.join();
}

void child_process::read_output(int fd) {
  char buffer[4096];
  for (;;) {
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    const std::lock_guard lock(mutex_);
    output_.append(buffer, static_cast<std::size_t>(n));
    said_.notify_all();
  }
  ::close(fd);
  const std::lock_guard lock(mutex_);
  ended_ = true;
  said_.notify_all();
}

bool child_process::wait_for_line(std::string_view text, int times, std::chrono::seconds limit) {
  std::unique_lock lock(mutex_);
  const auto wanted = static_cast<std::size_t>(times);
  said_.wait_for(lock, limit, [&] { return ended_ || count(output_, text) >= wanted; });
  return count(output_, text) >= wanted;
}

void child_process::signal(int number) const {
  if (!waited_) ::kill(pid_, number);
}

int child_process::wait() {
  if (!waited_) {
    while (::waitpid(pid_, &status_, 0) < 0 && errno == EINTR) {
    }
    waited_ = true;
  }
  return WIFEXITED(status_) ? WEXITSTATUS(status_) : -1;
}

std::string child_process::output() const {
  const std::lock_guard lock(mutex_);
  return output_;
}

std::string run_program(const std::vector<std::string>& arguments) {
  child_process p(arguments);
  const int status = p.wait();
  (void)p.wait_for_line("\n\n(never said)\n\n");  // until its output has ended
  if (status != 0) throw std::runtime_error(arguments.front() + " failed: " + p.output());
  return p.output();
}

std::string find_program(const std::vector<std::string>& paths) {
  for (const auto& p : paths) {
    if (::access(p.c_str(), X_OK) == 0) return p;
  }
  return {};
}

std::uint16_t free_port(const std::vector<std::string>& addresses) {
  asio::io_context io;
  for (int i = 0; i < 100; ++i) {
    asio::ip::tcp::acceptor first(io, {asio::ip::make_address(addresses.front()), 0});
    const std::uint16_t port = first.local_endpoint().port();
    first.close();
    bool free = true;
    for (const auto& a : addresses) {
      const auto where = asio::ip::make_address(a);
      free = free && can_bind<asio::ip::tcp>(io, where, port) &&
             can_bind<asio::ip::udp>(io, where, port);
    }
    if (free) return port;
  }
  throw std::runtime_error("no port is free on all of the addresses");
}

}  // namespace redial::inline REDIAL_ABI::testing
