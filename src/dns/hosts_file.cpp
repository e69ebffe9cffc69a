// SPDX-License-Identifier: Apache-2.0
//
// Constants and reasons
//   1 s poll      a change of the file counts within 1.2 s, and one stat costs a microsecond. No
//                 inotify: it misses renames of directories, bind mounts and network file systems
//   16 MiB        blocklists of a million names are known; anything longer is no hosts file
#include "dns/hosts_file.hpp"

#include "dns/context_end.hpp"
#include "dns/file_probe.hpp"
#include "dns/hosts_watch.hpp"
#include "dns/stable_file.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <optional>
#include <set>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {
namespace asio = boost::asio;

namespace {
constexpr std::size_t longest_file = std::size_t{16} << 20;
}

/// Kept alive by its owner, and by a handler or timer while it runs.
class hosts_file_state final : public ends_with_context,
                               public std::enable_shared_from_this<hosts_file_state> {
 public:
  hosts_file_state(asio::any_io_executor strand,
                   std::shared_ptr<scheduler> time,
                   std::string path,
                   hosts_file::change_handler on_change)
      : strand_(std::move(strand)),
        time_(std::move(time)),
        path_(std::move(path)),
        on_change_(std::move(on_change)) {}
  ~hosts_file_state() { time_->disarm(timer_); }

  void init() {
    timer_.owned_by(weak_from_this());
    on_context_end(*strand_, weak_from_this());
  }
  void start();
  void stop();
  void end() noexcept;
  [[nodiscard]] const hosts_watch& watch() const noexcept { return watch_; }

 private:
  void context_gone() noexcept override;
  void timer_fired();  // any thread
  void on_timer();
  [[nodiscard]] std::vector<std::string> look();
  void arm();
  void tell(const std::vector<std::string>& changed) const;
  void tell_rest();

  std::optional<asio::any_io_executor> strand_;  // empty once its context is gone
  const std::shared_ptr<scheduler> time_;
  const std::string path_;
  const hosts_file::change_handler on_change_;
  stable_file file_;
  hosts_watch watch_;
  std::set<std::string> untold_;
  bool ever_started_ = false;
  bool running_ = false;
  time_point poll_at_{};
  time_point due_ = time_point::max();
  std::atomic<bool> ended_{false};  // its owner is gone
  member_timer<hosts_file_state, &hosts_file_state::timer_fired> timer_{*this};
};

void hosts_file_state::start() {
  if (running_ || !strand_) return;
  running_ = true;
  file_ = {};  // its first read counts at once
  const auto changed = look();
  arm();
  if (std::exchange(ever_started_, true)) untold_.insert(changed.begin(), changed.end());
  if (untold_.empty() || time_->is_stopped()) return;
  asio::post(*strand_, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->tell_rest();
  });
}

void hosts_file_state::stop() {
  running_ = false;
  watch_.hold();
  due_ = time_point::max();
  time_->disarm(timer_);
}

// From any thread: only what is safe there.
void hosts_file_state::end() noexcept {
  ended_ = true;
  time_->disarm(timer_);
}

void hosts_file_state::context_gone() noexcept {
  stop();
  strand_.reset();
}

void hosts_file_state::timer_fired() {
  if (ended_ || !strand_ || time_->is_stopped()) return;
  asio::post(*strand_, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->on_timer();
  });
}

void hosts_file_state::on_timer() {
  // It may have been stopped, or started anew, after the timer had fired.
  if (ended_ || !running_ || time_->now() < due_) return;
  const auto changed = look();
  arm();
  tell(changed);
}

// Returns the names that have changed.
std::vector<std::string> hosts_file_state::look() {
  const time_point now = time_->now();
  poll_at_ = after(now, hosts_file::poll_interval);
  if (file_.on_stat(stat_file(path_), now) == stable_file::wish::read) {
    if (const auto fresh = file_.on_read(read_file(path_, longest_file), now)) {
      return watch_.on_text(fresh->text, now).changed;
    }
  }
  // While the file is changing nothing goes: what was about to may be in it again.
  return file_.pending() ? std::vector<std::string>{} : watch_.on_time(now).changed;
}

void hosts_file_state::arm() {
  due_ = std::min(poll_at_, file_.pending() ? file_.next_read() : watch_.next_time());
  time_->arm(timer_, due_);
}

// Last in whatever calls it: the handler may do anything.
void hosts_file_state::tell(const std::vector<std::string>& changed) const {
  if (!changed.empty() && on_change_ && !ended_) on_change_(changed);
}

// What `start` has found and could not tell from inside itself.
void hosts_file_state::tell_rest() {
  if (!running_) return;
  const std::vector<std::string> changed(untold_.begin(), untold_.end());
  untold_.clear();
  tell(changed);
}

hosts_file::hosts_file(asio::any_io_executor strand,
                       std::shared_ptr<scheduler> time,
                       std::string path,
                       change_handler on_change)
    : state_(std::make_shared<hosts_file_state>(
          std::move(strand), std::move(time), std::move(path), std::move(on_change))) {
  state_->init();
}

hosts_file::~hosts_file() { state_->end(); }

void hosts_file::start() { state_->start(); }

void hosts_file::stop() { state_->stop(); }

const std::vector<address>* hosts_file::find(std::string_view name) const noexcept {
  return state_->watch().find(name);
}

}  // namespace redial::inline REDIAL_ABI::detail
