// SPDX-License-Identifier: Apache-2.0
#pragma once

// Why a peer's certificate was refused.

#include <redial/core/abi.hpp>

#include <boost/system/error_category.hpp>

namespace redial::inline REDIAL_ABI {

/// Values are OpenSSL's X509_V_ERR_* (`openssl/x509_vfy.h`), messages those of
/// X509_verify_cert_error_string. They are `condition::retryable`, since another endpoint may be
/// right, and `condition::not_sent`. A certificate for somebody else is `errc::tls_name_mismatch`
/// instead.
[[nodiscard]] REDIAL_API const boost::system::error_category& verify_category() noexcept;

}  // namespace redial::inline REDIAL_ABI
