// SPDX-License-Identifier: Apache-2.0
#pragma once

// The DNS of a discovery, put together as its options say.

#include <redial/discovery/discovery.hpp>

#include <memory>

namespace redial::inline REDIAL_ABI::detail {

/// \throws std::invalid_argument naming the option (`nameservers`, `zones`, `search`), the value
///         and what is wrong with it.
void validate_dns(const discovery_options& o);

/// c-ares; a source per zone where there are zones, with limits of its own; search domains on top.
/// `o` is valid.
[[nodiscard]] std::unique_ptr<dns_source> make_dns_source(
    const boost::asio::any_io_executor& strand,
    const discovery_options& o,
    const std::shared_ptr<scheduler>& time);

}  // namespace redial::inline REDIAL_ABI::detail
