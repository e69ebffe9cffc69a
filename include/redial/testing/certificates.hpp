// SPDX-License-Identifier: Apache-2.0
#pragma once

// Certificates for tests, made on the spot.

#include <redial/core/abi.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI::testing {

/// What a certificate says.
struct certificate_options {
  certificate_options() = default;

  std::vector<std::string> dns_names;       ///< Subject alternative names; wildcards as they are.
  std::vector<std::string> addresses;       ///< Subject alternative names that are addresses.
  std::string common_name = "redial test";  ///< Subject; nobody is verified by it.
  /// Validity, from now. Negative is in the past.
  std::chrono::seconds valid_from{-3600};
  std::chrono::seconds valid_until{24 * 3600};  ///< See `valid_from`.
  /// Signed by its own key instead of the authority's.
  bool self_signed = false;
};

/// Two PEM files.
struct certificate_files {
  certificate_files() = default;

  std::string certificate;  ///< Path of the certificate, its authority behind it.
  std::string private_key;  ///< Path of its key.
};

/// A certificate authority whose files live in a directory of their own, which its destructor
/// removes.
///
/// \throws std::runtime_error when files cannot be written or OpenSSL refuses.
class REDIAL_API certificate_authority {
 public:
  certificate_authority();
  ~certificate_authority();
  certificate_authority(const certificate_authority&) = delete;
  certificate_authority& operator=(const certificate_authority&) = delete;

  /// The directory; whatever else is put there is removed too.
  [[nodiscard]] const std::string& directory() const noexcept { return directory_; }
  /// What clients should trust.
  [[nodiscard]] const std::string& ca_file() const noexcept { return files_.certificate; }

  /// Makes a certificate and its key.
  [[nodiscard]] certificate_files issue(const certificate_options& options);
  /// The same with `names` as its only names.
  [[nodiscard]] certificate_files issue_for(std::vector<std::string> names);

 private:
  std::string directory_;
  certificate_files files_;
  int issued_ = 0;
};

}  // namespace redial::inline REDIAL_ABI::testing
