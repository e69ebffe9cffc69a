// SPDX-License-Identifier: Apache-2.0
#include "dns/server_set.hpp"

#include "dns/file_probe.hpp"

#include <algorithm>
#include <utility>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t largest_resolv_conf = 65536;

bool has_zone(const nameserver& s) noexcept {
  return s.where.is_v6() && s.where.to_v6().scope_id() != 0;
}

}  // namespace

duration try_timeout_for(duration query_timeout, duration said, std::size_t servers) noexcept {
  const auto each = query_timeout / static_cast<duration::rep>(std::max<std::size_t>(servers, 1));
  const duration wanted =
      said > 0s ? std::min(said, query_timeout / 2) : std::min<duration>(query_timeout / 4, 1s);
  return std::max<duration>(std::min(wanted, each), 50ms);
}

server_set::server_set(const cares_options& options)
    : path_(options.resolv_conf),
      fixed_(!options.nameservers.empty()),
      query_timeout_(options.query_timeout),
      order_(parse_nameservers(options.nameservers)),
      seed_(options.seed) {}

bool server_set::look(time_point now) {
  if (fixed_) return false;
  // Without any server there is nothing to lose: read at every question, and believe the first
  // read.
  const bool anything_helps = is_empty();
  if (!anything_helps && now < next_poll_ && now < file_.next_read()) return false;
  next_poll_ = after(now, look_interval);
  const bool wanted = file_.on_stat(stat_file(path_), now) == stable_file::wish::read;
  if (!wanted && !anything_helps) return false;
  const auto text = read_file(path_, largest_resolv_conf);
  const auto settled = file_.on_read(text, now);
  if (anything_helps) return text && take(parse_resolv_conf(*text));
  return settled && settled->text && take(parse_resolv_conf(*settled->text));
}

bool server_set::take(resolv_conf fresh) {
  if (fresh.servers.empty() || fresh == said_) return false;
  said_ = std::move(fresh);
  order_ = server_order(said_.servers);
  keep_order_ = false;
  return true;
}

channel_setup server_set::next_channel() {
  if (said_.rotate && !std::exchange(keep_order_, false)) order_.shuffle(++seed_);
  channel_setup out;
  out.servers = order_.servers();
  out.try_timeout =
      try_timeout_for(query_timeout_, std::chrono::seconds{said_.timeout}, out.servers.size());
  out.attempts = said_.attempts;
  out.tcp_only = said_.use_vc;
  return out;
}

bool server_set::on_answer(int timeouts, time_point now) {
  if (!order_.on_answer(timeouts, now)) return false;
  keep_order_ = true;
  return true;
}

bool server_set::drop_zoned() {
  if (fixed_) return false;
  auto left = order_.servers();
  if (std::erase_if(left, has_zone) == 0) return false;
  order_ = server_order(std::move(left));
  return !is_empty();
}

}  // namespace redial::inline REDIAL_ABI::detail
