// SPDX-License-Identifier: Apache-2.0
#include "http/reuse_rule.hpp"

#include <redial/http/http_client.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>
#include <string>

namespace redial::inline REDIAL_ABI::detail {
namespace {

exchange_end good() {
  exchange_end e;
  e.request_complete = true;
  e.keep_alive = true;
  return e;
}

TEST(ReuseRule, OnlyACleanExchangeLeavesAConnectionBehind) {
  EXPECT_TRUE(may_reuse(good()));
  exchange_end e = good();
  e.request_complete = false;
  EXPECT_FALSE(may_reuse(e));
  e = good();
  e.keep_alive = false;
  EXPECT_FALSE(may_reuse(e));
  e = good();
  e.ended_by_close = true;
  EXPECT_FALSE(may_reuse(e));
}

TEST(ReuseRule, Fault162_BytesAfterTheResponseEndIt) {
  exchange_end e = good();
  e.leftover = 1;
  EXPECT_FALSE(may_reuse(e));
}

response_head head(unsigned status, std::vector<std::string_view> codings = {}) {
  response_head h;
  h.status = status;
  h.transfer_encodings = std::move(codings);
  return h;
}

TEST(ResponseHead, Fault164_StatusesFrom100To599) {
  for (const unsigned bad : {0U, 7U, 99U, 600U, 999U}) {
    EXPECT_EQ(check_head(head(bad)), errc::bad_response) << bad;
  }
  for (const unsigned fine : {100U, 103U, 200U, 204U, 404U, 599U}) {
    EXPECT_FALSE(check_head(head(fine))) << fine;
  }
}

TEST(ResponseHead, Fault163_NobodyAskedForAnotherProtocol) {
  EXPECT_EQ(check_head(head(101)), errc::bad_response);
  EXPECT_FALSE(is_interim(101));
  EXPECT_TRUE(is_interim(100));
  EXPECT_TRUE(is_interim(103));
  EXPECT_FALSE(is_interim(200));
}

TEST(ResponseHead, Fault161_ChunkedAloneIsTheOnlyTransferCoding) {
  EXPECT_FALSE(check_head(head(200, {"chunked"})));
  EXPECT_FALSE(check_head(head(200, {"Chunked"})));
  for (const char* bad :
       {"", "gzip", "chunked, chunked", "gzip, chunked", "chunked;q=1", "identity"}) {
    EXPECT_EQ(check_head(head(200, {bad})), errc::bad_response) << bad;
  }
  EXPECT_EQ(check_head(head(200, {"chunked", "chunked"})), errc::bad_response);
  response_head old = head(200, {"chunked"});
  old.version = 10;
  EXPECT_EQ(check_head(old), errc::bad_response);
}

TEST(ResponseMeaning, WhichStatusesAreTriedElsewhere) {
  for (const unsigned status : {502U, 503U, 504U}) {
    EXPECT_EQ(meaning_of(status, true), response_meaning::unavailable);
    EXPECT_EQ(meaning_of(status, false), response_meaning::final);
  }
  EXPECT_EQ(meaning_of(421, true), response_meaning::misdirected);
  EXPECT_EQ(meaning_of(421, false), response_meaning::misdirected);
  for (const unsigned status : {200U, 204U, 301U, 404U, 429U, 500U, 501U, 505U}) {
    EXPECT_EQ(meaning_of(status, true), response_meaning::final) << status;
  }
}

std::string complaint(const std::function<void(http_options&)>& change) {
  http_options o;
  change(o);
  try {
    validate(o);
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "accepted";
}

TEST(HttpOptions, LimitsAreChecked) {
  EXPECT_EQ(complaint([](auto&) {}), "accepted");
  EXPECT_EQ(complaint([](auto& o) { o.max_body_bytes = 0; }), "accepted");
  EXPECT_EQ(complaint([](auto& o) { o.max_header_bytes = 255; }),
            "http_options::max_header_bytes is 255: must be from 256 to 16777216 bytes");
  if constexpr (sizeof(std::size_t) > 4) {  // else no size is too large
    EXPECT_THAT(complaint([](auto& o) { o.max_body_bytes = static_cast<std::size_t>(1ULL << 41); }),
                ::testing::HasSubstr("max_body_bytes"));
  }
  EXPECT_THAT(complaint([](auto& o) { o.user_agent = "a\r\nb"; }),
              ::testing::HasSubstr("user_agent"));
  EXPECT_THAT(complaint([](auto& o) { o.client.retry.max_attempts = 0; }),
              ::testing::HasSubstr("retry_policy::max_attempts"));
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
