// SPDX-License-Identifier: Apache-2.0
// libcurl by its multi interface with sockets of the caller's epoll (curl_multi_socket_action), the
// one its documentation advises for many transfers. Easy handles are reused, and with them, by the
// multi handle's cache, the connections.

#include "steady/contestant.hpp"

#ifdef REDIAL_WITH_CURL

#include <curl/curl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <vector>

namespace redial::steady {

namespace {

class curl_lane final : public lane {
 public:
  explicit curl_lane(const lane_options& o)
      : url_("http://127.0.0.1:" + std::to_string(o.port) + std::string(path)),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        multi_(curl_multi_init()),
        transfers_(o.in_flight) {
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &curl_lane::on_socket);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &curl_lane::on_timer);
    curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(o.in_flight) + 4L);
    for (transfer& t : transfers_) {
      t.easy = curl_easy_init();
      curl_easy_setopt(t.easy, CURLOPT_URL, url_.c_str());
      curl_easy_setopt(t.easy, CURLOPT_USERAGENT, std::string(user_agent).c_str());
      curl_easy_setopt(t.easy, CURLOPT_WRITEFUNCTION, &curl_lane::on_body);
      curl_easy_setopt(t.easy, CURLOPT_WRITEDATA, &t.body);
      curl_easy_setopt(t.easy, CURLOPT_PRIVATE, &t);
      curl_easy_setopt(t.easy, CURLOPT_NOSIGNAL, 1L);
      curl_easy_setopt(t.easy, CURLOPT_PROXY, "");
    }
  }
  ~curl_lane() override {
    for (const transfer& t : transfers_) curl_easy_cleanup(t.easy);
    curl_multi_cleanup(multi_);
    ::close(epoll_);
  }

  void run(std::uint64_t n) override {
    loop_.start(n);
    for (transfer& t : transfers_) next(t);
    std::array<epoll_event, 64> events;  // NOLINT: filled in by the system
    while (!loop_.is_over()) {
      const int wait = timeout_ < 0 ? 1000 : static_cast<int>(timeout_);
      const int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait);
      int running = 0;
      for (int i = 0; i < ready; ++i) {
        const epoll_event& e = events[static_cast<std::size_t>(i)];
        const int what = ((e.events & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
                         ((e.events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
                         ((e.events & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0);
        curl_multi_socket_action(multi_, e.data.fd, what, &running);
      }
      if (ready == 0 || timeout_ == 0) {
        timeout_ = -1;
        curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
      }
      finished();
    }
  }

 private:
  struct transfer {
    CURL* easy = nullptr;
    std::string body;
  };

  void next(transfer& t) {
    if (!loop_.begin()) return;
    t.body.clear();
    expect(curl_multi_add_handle(multi_, t.easy) == CURLM_OK, "curl_multi_add_handle");
  }

  void finished() {
    int left = 0;
    while (const CURLMsg* const m = curl_multi_info_read(multi_, &left)) {
      if (m->msg != CURLMSG_DONE) continue;
      CURL* const easy = m->easy_handle;
      if (m->data.result != CURLE_OK) fail(curl_easy_strerror(m->data.result));
      long status = 0;
      transfer* t = nullptr;
      curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
      curl_easy_getinfo(easy, CURLINFO_PRIVATE, &t);
      expect(status == 200 && t->body.size() == body_bytes, "libcurl: bad response");
      curl_multi_remove_handle(multi_, easy);
      loop_.end();
      next(*t);
    }
  }

  static std::size_t on_body(char* data, std::size_t size, std::size_t n, void* to) {
    static_cast<std::string*>(to)->append(data, size * n);
    return size * n;
  }

  static int on_timer(CURLM*, long timeout, void* self) {
    static_cast<curl_lane*>(self)->timeout_ = timeout;
    return 0;
  }

  static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void* known) {
    auto& lane = *static_cast<curl_lane*>(self);
    epoll_event e{};
    e.data.fd = fd;
    if (what == CURL_POLL_REMOVE) return ::epoll_ctl(lane.epoll_, EPOLL_CTL_DEL, fd, &e), 0;
    if ((what & CURL_POLL_IN) != 0) e.events |= EPOLLIN;
    if ((what & CURL_POLL_OUT) != 0) e.events |= EPOLLOUT;
    ::epoll_ctl(lane.epoll_, known == nullptr ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &e);
    curl_multi_assign(lane.multi_, fd, self);
    return 0;
  }

  const std::string url_;
  const int epoll_;
  CURLM* const multi_;
  closed_loop loop_;
  long timeout_ = -1;
  std::vector<transfer> transfers_;
};

}  // namespace

contestant curl_http() {
  return {"libcurl", [](const lane_options& o) { return std::make_unique<curl_lane>(o); }};
}

}  // namespace redial::steady

#else

namespace redial::steady {

contestant curl_http() { return {}; }

}  // namespace redial::steady

#endif
