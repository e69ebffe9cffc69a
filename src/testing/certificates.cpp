// SPDX-License-Identifier: Apache-2.0
#include <redial/testing/certificates.hpp>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <utility>

namespace redial::inline REDIAL_ABI::testing {

namespace {

template <class T, void (*Free)(T*)>
struct freed {
  void operator()(T* p) const noexcept { Free(p); }
};
using key_ptr = std::unique_ptr<EVP_PKEY, freed<EVP_PKEY, &::EVP_PKEY_free>>;
using certificate_ptr = std::unique_ptr<X509, freed<X509, &::X509_free>>;
struct closed {
  void operator()(std::FILE* f) const noexcept { std::fclose(f); }
};
using file_ptr = std::unique_ptr<std::FILE, closed>;

void require(bool good, const std::string& what) {
  if (!good) throw std::runtime_error("cannot make a test certificate: " + what);
}

file_ptr opened(const std::string& path, const char* mode) {
  file_ptr f(std::fopen(path.c_str(), mode));
  require(f != nullptr, path);
  return f;
}

void write(const certificate_files& to, X509* certificate, EVP_PKEY* key) {
  require(::PEM_write_X509(opened(to.certificate, "w").get(), certificate) == 1, "writing");
  require(::PEM_write_PrivateKey(
              opened(to.private_key, "w").get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
          "writing");
}

certificate_ptr read_certificate(const std::string& path) {
  return certificate_ptr(::PEM_read_X509(opened(path, "r").get(), nullptr, nullptr, nullptr));
}

key_ptr read_key(const std::string& path) {
  return key_ptr(::PEM_read_PrivateKey(opened(path, "r").get(), nullptr, nullptr, nullptr));
}

void add_extension(X509* to, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  ::X509V3_set_ctx(&context, issuer, to, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, freed<X509_EXTENSION, &::X509_EXTENSION_free>> extension(
      ::X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  require(extension && ::X509_add_ext(to, extension.get(), -1) == 1, value);
}

std::string alternative_names(const certificate_options& options) {
  std::string all;
  for (const auto& name : options.dns_names) all += (all.empty() ? "DNS:" : ",DNS:") + name;
  for (const auto& a : options.addresses) all += (all.empty() ? "IP:" : ",IP:") + a;
  return all;
}

/// In days and seconds, because a `long` of 32 bits has room for 68 years only.
void set_from_now(ASN1_TIME* t, std::chrono::seconds s) {
  const auto days = std::chrono::floor<std::chrono::days>(s);
  ::X509_time_adj_ex(
      t, static_cast<int>(days.count()), static_cast<long>((s - days).count()), nullptr);
}

/// Unsigned, without extensions.
certificate_ptr blank(const certificate_options& options, EVP_PKEY* key, long serial) {
  certificate_ptr c(::X509_new());
  require(c != nullptr, "memory");
  ::X509_set_version(c.get(), 2);  // v3
  ::ASN1_INTEGER_set(::X509_get_serialNumber(c.get()), serial);
  set_from_now(::X509_getm_notBefore(c.get()), options.valid_from);
  set_from_now(::X509_getm_notAfter(c.get()), options.valid_until);
  ::X509_set_pubkey(c.get(), key);
  const auto* name = reinterpret_cast<const unsigned char*>(options.common_name.c_str());
  require(::X509_NAME_add_entry_by_txt(
              ::X509_get_subject_name(c.get()), "CN", MBSTRING_UTF8, name, -1, -1, 0) == 1,
          "common name");
  return c;
}

void sign(X509* c, X509* issuer, EVP_PKEY* key) {
  ::X509_set_issuer_name(c, ::X509_get_subject_name(issuer));
  require(::X509_sign(c, key, ::EVP_sha256()) != 0, "signing");
}

}  // namespace

certificate_authority::certificate_authority() {
  directory_ = (std::filesystem::temp_directory_path() / "redial-certificates-XXXXXX").string();
  require(::mkdtemp(directory_.data()) != nullptr, directory_);
  files_.certificate = directory_ + "/ca.crt";
  files_.private_key = directory_ + "/ca.key";
  const key_ptr key(::EVP_EC_gen("P-256"));
  require(key != nullptr, "key");
  certificate_options options;
  // Of its own: an authority with another's name but not its key would look like a broken
  // signature.
  options.common_name = "redial test " + std::filesystem::path(directory_).filename().string();
  const auto ca = blank(options, key.get(), 1);
  add_extension(ca.get(), ca.get(), NID_basic_constraints, "critical,CA:TRUE");
  add_extension(ca.get(), ca.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(ca.get(), ca.get(), NID_subject_key_identifier, "hash");
  sign(ca.get(), ca.get(), key.get());
  write(files_, ca.get(), key.get());
}

certificate_authority::~certificate_authority() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

certificate_files certificate_authority::issue(const certificate_options& options) {
  const key_ptr key(::EVP_EC_gen("P-256"));
  require(key != nullptr, "key");
  const auto leaf = blank(options, key.get(), 100 + issued_);
  const auto ca = read_certificate(files_.certificate);
  const auto ca_key = read_key(files_.private_key);
  require(ca && ca_key, "the authority's files are gone");
  add_extension(leaf.get(), ca.get(), NID_basic_constraints, "critical,CA:FALSE");
  if (const auto names = alternative_names(options); !names.empty()) {
    add_extension(leaf.get(), ca.get(), NID_subject_alt_name, names);
  }
  if (options.self_signed) {
    sign(leaf.get(), leaf.get(), key.get());
  } else {
    sign(leaf.get(), ca.get(), ca_key.get());
  }
  const std::string stem = directory_ + "/leaf" + std::to_string(issued_++);
  certificate_files files;
  files.certificate = stem + ".crt";
  files.private_key = stem + ".key";
  write(files, leaf.get(), key.get());
  return files;
}

certificate_files certificate_authority::issue_for(std::vector<std::string> names) {
  certificate_options options;
  options.dns_names = std::move(names);
  return issue(options);
}

}  // namespace redial::inline REDIAL_ABI::testing
