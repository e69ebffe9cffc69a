// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the user writes to say whom to talk to.

#include <redial/core/abi.hpp>
#include <redial/core/endpoint.hpp>
#include <redial/core/host_name.hpp>

#include <boost/system/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace redial::inline REDIAL_ABI {

/// How the bytes of a target travel. With `srv+` before it the endpoints come from the SRV records
/// of the name (RFC 2782), ports included: `srv+https://name`; `srv://name` is `srv+tcp://name`.
enum class target_scheme {
  http,         ///< `http://host[:port]`, port 80 by default.
  https,        ///< `https://host[:port]`, port 443 by default.
  tcp,          ///< `tcp://host:port`.
  tls,          ///< `tls://host:port`.
  static_list,  ///< `static://address:port[,address:port]...`: never changes, no DNS.
};

/// A parsed target. A value type; every object is valid.
///
/// A path, query, fragment or user info is refused: a target names a service, not a resource. A
/// single trailing `/` is accepted, because people paste URLs.
class REDIAL_API target {
 public:
  /// \throws std::invalid_argument naming the text, what is wrong with it and what is accepted.
  explicit target(std::string_view text);

  /// The same without exceptions.
  /// \par Errors `errc::bad_scheme`, `errc::bad_name`, `errc::name_not_ascii`, `errc::bad_address`,
  ///      `errc::bad_port` (also a port after `srv`), `errc::bad_target` (also an address after
  ///      `srv`), `errc::name_not_found` (`.onion`).
  [[nodiscard]] static boost::system::result<target> parse(std::string_view text);

  /// How the bytes travel.
  [[nodiscard]] target_scheme scheme() const noexcept { return scheme_; }
  /// True for `https` and `tls`.
  [[nodiscard]] bool is_tls() const noexcept {
    return scheme_ == target_scheme::https || scheme_ == target_scheme::tls;
  }
  /// True when the endpoints come from SRV records. Names without a leading underscore are as good
  /// as others (Amazon ECS registers `calc.local`).
  [[nodiscard]] bool is_srv() const noexcept { return srv_; }
  /// The host, or the owner of the SRV records; for `static://` the text of its first address.
  [[nodiscard]] const host_name& host() const noexcept { return host_; }
  /// Whom a TLS certificate must speak for and what HTTP's Host names: the host. For an SRV name
  /// without its leading labels that begin with an underscore (RFC 6125 §6.2.1: the domain that the
  /// user asked for, not the target that unproven DNS named).
  [[nodiscard]] const host_name& identity() const noexcept { return identity_; }
  /// The port; for `static://` that of its first address; 0 when the SRV records say.
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  /// Endpoints that need no DNS: `static://`, literals, `localhost`. Empty when DNS is asked.
  [[nodiscard]] const std::vector<endpoint>& fixed_endpoints() const noexcept { return fixed_; }
  /// The canonical text, e.g. `https://api.internal:443`; what logs, events and metrics show.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  /// `host:port` as HTTP's Host header wants it: without the scheme's default port, and for an SRV
  /// name without any.
  [[nodiscard]] std::string authority() const;

  /// By the canonical text.
  friend bool operator==(const target& a, const target& b) noexcept { return a.text_ == b.text_; }

 private:
  target(target_scheme scheme, host_name host, std::uint16_t port, std::vector<endpoint> fixed);
  target(target_scheme scheme, host_name srv_owner, host_name identity);

  target_scheme scheme_;
  bool srv_ = false;
  host_name host_;
  host_name identity_;
  std::uint16_t port_;
  std::vector<endpoint> fixed_;
  std::string text_;
};

}  // namespace redial::inline REDIAL_ABI
