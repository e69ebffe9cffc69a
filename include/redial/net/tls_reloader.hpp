// SPDX-License-Identifier: Apache-2.0
#pragma once

// New certificates for clients that are in use.

#include <redial/core/abi.hpp>

#include <memory>

namespace redial::inline REDIAL_ABI {

namespace detail {
class live_tls_settings;
}

/// Makes clients read the files of their `tls_options` again: authorities, own certificate, key.
///
/// \code
///   auto certificates = std::make_shared<redial::tls_reloader>();
///   options.tls.reloader = certificates;          // of any number of clients
///   ...
///   certificates->reload();                       // when the files were replaced
/// \endcode
///
/// New connections use what was read, and no session of before, since it was made under other
/// settings. Open connections go on, those being opened finish with the old settings, no call
/// fails. `reset()` of a client replaces its open connections too.
///
/// \par Threads Safe from any thread.
class REDIAL_API tls_reloader {
 public:
  tls_reloader();
  ~tls_reloader();
  tls_reloader(const tls_reloader&) = delete;
  tls_reloader& operator=(const tls_reloader&) = delete;

  /// All of its connectors or none: when one file is bad, everything stays as it was, so it can be
  /// tried again. Replace files by renaming, certificate and key before one `reload`. Reads files,
  /// so it may block.
  ///
  /// \throws std::invalid_argument as at construction, naming option, file and reason.
  void reload();

 private:
  friend class tls_connector;
  void add(const std::shared_ptr<detail::live_tls_settings>& settings);

  class registry;
  const std::unique_ptr<registry> connectors_;
};

}  // namespace redial::inline REDIAL_ABI
