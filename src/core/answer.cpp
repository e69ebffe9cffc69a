// SPDX-License-Identifier: Apache-2.0
#include <redial/core/answer.hpp>

namespace redial::inline REDIAL_ABI {

const char* to_string(record_type t) noexcept {
  switch (t) {
    case record_type::a:
      return "A";
    case record_type::aaaa:
      return "AAAA";
    case record_type::srv:
      return "SRV";
  }
  return "?";
}

const char* to_string(answer_outcome o) noexcept {
  switch (o) {
    case answer_outcome::records:
      return "records";
    case answer_outcome::no_data:
      return "no_data";
    case answer_outcome::name_not_found:
      return "name_not_found";
    case answer_outcome::timeout:
      return "timeout";
    case answer_outcome::server_failure:
      return "server_failure";
    case answer_outcome::refused:
      return "refused";
    case answer_outcome::malformed:
      return "malformed";
    case answer_outcome::local_fault:
      return "local_fault";
    case answer_outcome::closed:
      return "closed";
  }
  return "?";
}

}  // namespace redial::inline REDIAL_ABI
