// SPDX-License-Identifier: Apache-2.0
#include "net/tls_settings.hpp"

#include <redial/net/tls_reloader.hpp>

#include "net/tls_context.hpp"

#include <mutex>
#include <utility>
#include <vector>

namespace redial::inline REDIAL_ABI {

namespace detail {

tls_settings::tls_settings(const host_name& of_target,
                           const tls_options& options,
                           std::uint64_t reading)
    : number(reading),
      identity(identity_of(options, of_target)),
      alpn(options.alpn),
      context(make_tls_context(options)),
      sessions(options.session_reuse ? std::make_shared<session_cache>() : nullptr) {}

live_tls_settings::live_tls_settings(const host_name& of_target, const tls_options& options)
    : of_target_(of_target), options_(options), current_(read()) {}

std::shared_ptr<const tls_settings> live_tls_settings::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

std::shared_ptr<const tls_settings> live_tls_settings::read() const {
  return std::make_shared<const tls_settings>(of_target_, options_, ++readings_);
}

void live_tls_settings::use(std::shared_ptr<const tls_settings> settings) {
  const std::lock_guard lock(mutex_);
  if (settings->number > current_->number) current_.swap(settings);  // the old ones end later
}

}  // namespace detail

class tls_reloader::registry {
 public:
  void add(const std::shared_ptr<detail::live_tls_settings>& settings) {
    const std::lock_guard lock(mutex_);
    std::erase_if(all_, [](const auto& weak) { return weak.expired(); });
    all_.push_back(settings);
  }
  [[nodiscard]] std::vector<std::shared_ptr<detail::live_tls_settings>> living() {
    std::vector<std::shared_ptr<detail::live_tls_settings>> all;
    const std::lock_guard lock(mutex_);
    for (const auto& weak : all_) {
      if (auto settings = weak.lock()) all.push_back(std::move(settings));
    }
    return all;
  }

 private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<detail::live_tls_settings>> all_;
};

tls_reloader::tls_reloader() : connectors_(std::make_unique<registry>()) {}
tls_reloader::~tls_reloader() = default;

void tls_reloader::reload() {
  const auto connectors = connectors_->living();
  std::vector<std::shared_ptr<const detail::tls_settings>> fresh;
  for (const auto& c : connectors) fresh.push_back(c->read());
  for (std::size_t i = 0; i < connectors.size(); ++i) connectors[i]->use(std::move(fresh[i]));
}

void tls_reloader::add(const std::shared_ptr<detail::live_tls_settings>& settings) {
  connectors_->add(settings);
}

}  // namespace redial::inline REDIAL_ABI
