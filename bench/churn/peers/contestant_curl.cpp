// SPDX-License-Identifier: Apache-2.0
#include "churn/peers/contestant_curl.hpp"

#include "churn/outstanding.hpp"

#include <curl/curl.h>
#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <list>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace redial::churn {

namespace {

using std::chrono::milliseconds;

constexpr std::uint32_t most_attempts = 4;
constexpr auto retry_pause = milliseconds{200};
constexpr std::size_t longest_body = 4096;

struct easy_cleanup {
  void operator()(CURL* c) const noexcept { ::curl_easy_cleanup(c); }
};
using easy_handle = std::unique_ptr<CURL, easy_cleanup>;

struct multi_cleanup {
  void operator()(CURLM* m) const noexcept { ::curl_multi_cleanup(m); }
};
using multi_handle = std::unique_ptr<CURLM, multi_cleanup>;

void initialise() {
  static const auto result = ::curl_global_init(CURL_GLOBAL_DEFAULT);
  if (result != CURLE_OK) throw std::runtime_error(::curl_easy_strerror(result));
  // With CURLOPT_NOSIGNAL, which threads need, that is left to the program.
  std::signal(SIGPIPE, SIG_IGN);
}

struct job {
  std::uint64_t request = 0;
  time_point deadline;
};

// An easy handle and the request that it works on.
struct transfer {
  easy_handle easy;
  job what;
  std::uint32_t attempts = 0;
  std::string body;
  time_point retry_at;
};

std::size_t keep_body(const char* data, std::size_t size, std::size_t count, void* user) {
  auto& body = static_cast<transfer*>(user)->body;
  const auto bytes = size * count;
  if (body.size() + bytes > longest_body) return 0;
  body.append(data, bytes);
  return bytes;
}

bool is_worth_a_retry(CURLcode result, long status) {
  return result != CURLE_OK || status == 429 || (status >= 502 && status <= 504);
}

// What the transfers have in common.
struct transfer_options {
  transfer_options(const service_address& where, curl_kind k, const std::string& id)
      : url(fmt::format(
            "{}://{}:{}/{}/", where.tls ? "https" : "http", where.host, where.port, id)),
        ca_file(where.ca_file),
        kind(k),
        // It knows whole seconds, and zero would mean no cache and no limit.
        cap_seconds(std::max(
            1L,
            static_cast<long>(
                std::chrono::duration_cast<std::chrono::seconds>(where.ttl_cap).count()))) {}

  std::string url;
  std::string ca_file;
  curl_kind kind;
  long cap_seconds;

  void apply(transfer& t) const {
    CURL* easy = t.easy.get();
    ::curl_easy_setopt(easy, CURLOPT_PRIVATE, &t);
    ::curl_easy_setopt(easy, CURLOPT_WRITEDATA, &t);
    ::curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep_body);
    ::curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    ::curl_easy_setopt(easy, CURLOPT_PROXY, "");
    if (!ca_file.empty()) ::curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file.c_str());
    if (kind == curl_kind::usual) return;
    ::curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, cap_seconds);
    ::curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, cap_seconds);
    ::curl_easy_setopt(easy, CURLOPT_DNS_SHUFFLE_ADDRESSES, 1L);
  }
};

// The multi handle and its thread.
class multi_thread {
 public:
  multi_thread(transfer_options options, std::shared_ptr<outstanding> asked)
      : options_(std::move(options)), asked_(std::move(asked)), multi_(::curl_multi_init()) {
    if (!multi_) throw std::runtime_error("curl_multi_init failed");
    thread_ = std::thread([this] { run(); });
  }
  multi_thread(const multi_thread&) = delete;
  multi_thread& operator=(const multi_thread&) = delete;
  ~multi_thread() { end(); }

  void submit(const job& what) {
    {
      const std::lock_guard lock(mutex_);
      submitted_.push_back(what);
    }
    ::curl_multi_wakeup(multi_.get());
  }

  void end() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    ::curl_multi_wakeup(multi_.get());
    if (thread_.joinable()) thread_.join();
  }

  [[nodiscard]] std::uint64_t opened() const noexcept { return opened_; }

 private:
  using transfers = std::list<transfer>;

  void run() {
    std::vector<job> fresh;
    while (take_submitted(fresh)) {
      for (const auto& what : fresh) begin(what);
      retry_due();
      int running = 0;
      ::curl_multi_perform(multi_.get(), &running);
      finish_done();
      ::curl_multi_poll(multi_.get(), nullptr, 0, until_retry(), nullptr);
    }
    for (auto& t : active_) ::curl_multi_remove_handle(multi_.get(), t.easy.get());
    active_.clear();
  }

  // False: the end.
  bool take_submitted(std::vector<job>& fresh) {
    fresh.clear();
    const std::lock_guard lock(mutex_);
    fresh.swap(submitted_);
    return !ending_;
  }

  void begin(const job& what) {
    if (unused_.empty()) {
      auto& made = unused_.emplace_back();
      made.easy.reset(::curl_easy_init());
      options_.apply(made);
    }
    active_.splice(active_.end(), unused_, std::prev(unused_.end()));
    active_.back().what = what;
    active_.back().attempts = 0;
    attempt(active_.back());
  }

  void attempt(transfer& t) {
    ++t.attempts;
    t.body.clear();
    auto left = time_left(t.what.deadline, clock::now());
    if (options_.kind == curl_kind::retrying && t.attempts < most_attempts) {
      left = std::max(milliseconds{1}, left / 2);
    }
    const auto url = options_.url + std::to_string(t.what.request);
    ::curl_easy_setopt(t.easy.get(), CURLOPT_URL, url.c_str());
    ::curl_easy_setopt(t.easy.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(left.count()));
    ::curl_multi_add_handle(multi_.get(), t.easy.get());
  }

  void finish_done() {
    int queued = 0;
    while (const auto* message = ::curl_multi_info_read(multi_.get(), &queued)) {
      if (message->msg != CURLMSG_DONE) continue;
      // Removing the handle ends the message.
      const auto result = message->data.result;
      CURL* easy = message->easy_handle;
      transfer* t = nullptr;
      ::curl_easy_getinfo(easy, CURLINFO_PRIVATE, &t);
      ::curl_multi_remove_handle(multi_.get(), easy);
      finish(*t, result);
    }
  }

  void finish(transfer& t, CURLcode result) {
    long status = 0;
    long connects = 0;
    ::curl_easy_getinfo(t.easy.get(), CURLINFO_RESPONSE_CODE, &status);
    ::curl_easy_getinfo(t.easy.get(), CURLINFO_NUM_CONNECTS, &connects);
    opened_ += static_cast<std::uint64_t>(connects);
    const auto here =
        std::find_if(active_.begin(), active_.end(), [&](const auto& a) { return &a == &t; });
    t.retry_at = clock::now() + retry_pause;
    if (options_.kind == curl_kind::retrying && t.attempts < most_attempts &&
        is_worth_a_retry(result, status) && t.retry_at < t.what.deadline) {
      paused_.splice(paused_.end(), active_, here);
      return;
    }
    auto r = result == CURLE_OK ? answered(status, std::move(t.body))
                                : failed(::curl_easy_strerror(result));
    r.attempts = t.attempts;
    asked_->answer_from_thread(t.what.request, std::move(r));
    unused_.splice(unused_.end(), active_, here);
  }

  // The pause is the same for all, so they are due in order.
  void retry_due() {
    const auto now = clock::now();
    while (!paused_.empty() && paused_.front().retry_at <= now) {
      active_.splice(active_.end(), paused_, paused_.begin());
      attempt(active_.back());
    }
  }

  [[nodiscard]] int until_retry() const {
    constexpr auto longest = milliseconds{1000};
    if (paused_.empty()) return static_cast<int>(longest.count());
    return static_cast<int>(
        std::min(longest, time_left(paused_.front().retry_at, clock::now())).count());
  }

  transfer_options options_;
  std::shared_ptr<outstanding> asked_;
  multi_handle multi_;
  transfers active_;  // in the multi handle
  transfers paused_;  // until `retry_at`
  transfers unused_;
  std::atomic<std::uint64_t> opened_{0};
  std::mutex mutex_;
  std::vector<job> submitted_;
  bool ending_ = false;
  std::thread thread_;
};

std::string id_of(curl_kind kind) {
  switch (kind) {
    case curl_kind::usual:
      return "curl";
    case curl_kind::tuned:
      return "curltuned";
    case curl_kind::retrying:
      return "curlretry";
  }
  return {};
}

class curl_contestant final : public contestant {
 public:
  curl_contestant(const boost::asio::any_io_executor& executor,
                  const service_address& where,
                  curl_kind kind)
      : id_(id_of(kind)),
        asked_(std::make_shared<outstanding>(executor)),
        multi_(transfer_options(where, kind, id_), asked_) {}

  const std::string& id() const noexcept override { return id_; }

  void async_get(std::uint64_t request, time_point deadline, handler done) override {
    asked_->add(request, deadline, std::move(done));
    multi_.submit({request, deadline});
  }

  std::uint64_t connections() const override { return multi_.opened(); }

  void close() override {
    multi_.end();
    asked_->close();
  }

 private:
  std::string id_;
  std::shared_ptr<outstanding> asked_;
  multi_thread multi_;
};

}  // namespace

std::unique_ptr<contestant> make_curl(const boost::asio::any_io_executor& executor,
                                      const service_address& where,
                                      curl_kind kind) {
  initialise();
  return std::make_unique<curl_contestant>(executor, where, kind);
}

}  // namespace redial::churn
