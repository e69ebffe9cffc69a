// SPDX-License-Identifier: Apache-2.0
#include <redial/net/make_connector.hpp>
#include <redial/net/tcp_connector.hpp>
#include <redial/net/tls_connector.hpp>

namespace redial::inline REDIAL_ABI {

std::shared_ptr<connector> make_connector(const target& to,
                                          const tcp_options& tcp,
                                          const tls_options& tls) {
  if (to.is_tls()) return std::make_shared<tls_connector>(to.identity(), tcp, tls);
  return std::make_shared<tcp_connector>(tcp);
}

}  // namespace redial::inline REDIAL_ABI
