// SPDX-License-Identifier: Apache-2.0
// The floor: prepared bytes out, one read of the whole answer in, of which only the status and the
// length are looked at.

#include "steady/contestant.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <vector>

namespace redial::steady {

namespace {

class epoll_lane final : public lane {
 public:
  explicit epoll_lane(const lane_options& o)
      : request_("GET " + std::string(path) +
                 " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(o.port) +
                 "\r\nUser-Agent: " + std::string(user_agent) + "\r\n\r\n"),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    for (std::size_t i = 0; i < o.in_flight; ++i) connect(o.port);
  }
  ~epoll_lane() override {
    for (const int fd : sockets_) ::close(fd);
    ::close(epoll_);
  }

  void run(std::uint64_t n) override {
    loop_.start(n);
    for (const int fd : sockets_) next(fd);
    std::array<epoll_event, 64> events;  // NOLINT: filled in by the system
    while (!loop_.is_over()) {
      const int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < ready; ++i) answered(events[static_cast<std::size_t>(i)].data.fd);
    }
  }

 private:
  void connect(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto* const generic = reinterpret_cast<sockaddr*>(&where);  // NOLINT: as sockets are
    expect(fd >= 0 && ::connect(fd, generic, sizeof where) == 0, "epoll connect");
    const int yes = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    epoll_event e{};
    e.events = EPOLLIN;
    e.data.fd = fd;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &e);
    sockets_.push_back(fd);
  }

  void next(int fd) {
    if (!loop_.begin()) return;
    const auto n = ::send(fd, request_.data(), request_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    expect(n == static_cast<ssize_t>(request_.size()), "epoll send");
  }

  void answered(int fd) {
    const auto n = ::recv(fd, answer_.data(), answer_.size(), MSG_DONTWAIT);
    expect(n > 0, "epoll recv");
    const std::string_view got(answer_.data(), static_cast<std::size_t>(n));
    const auto head = got.find("\r\n\r\n");
    const auto length = got.find("Content-Length: ");
    expect(got.substr(9, 3) == "200" && head != got.npos && length != got.npos, "epoll status");
    const auto body = std::strtoul(got.data() + length + 16, nullptr, 10);
    expect(head + 4 + body == got.size(), "epoll: more than one read per answer");
    loop_.end();
    next(fd);
  }

  const std::string request_;
  const int epoll_;
  closed_loop loop_;
  std::vector<int> sockets_;
  std::array<char, 4096> answer_{};
};

}  // namespace

contestant epoll_http() {
  return {"epoll", [](const lane_options& o) { return std::make_unique<epoll_lane>(o); }};
}

}  // namespace redial::steady
