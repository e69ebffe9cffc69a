// SPDX-License-Identifier: Apache-2.0
#include "http/response_reader.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace redial::inline REDIAL_ABI::detail {
namespace {

using progress = response_reader::progress;

constexpr response_limits usual{1024, 1024UL * 1024};

/// Feeds `text` in pieces of at most `piece` bytes, as far as the reader wants it.
progress feed(response_reader& reader, std::string_view text, std::size_t piece = 1U << 20U) {
  progress p = progress::unfinished;
  while (!text.empty() && p == progress::unfinished) {
    const auto space = reader.space();
    EXPECT_GT(space.size(), 0U);
    const auto n = std::min({piece, text.size(), space.size()});
    std::memcpy(space.data(), text.data(), n);
    text.remove_prefix(n);
    p = reader.took(n);
  }
  return p;
}

const std::string plain =
    "HTTP/1.1 200 Fine\r\nContent-Length: 5\r\nVia: a\r\nX-Y: 1\r\nvia: b\r\n\r\nhello";
const std::string chunked =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    "4;x=y\r\nhell\r\n1\r\no\r\n0\r\nAfter: all\r\n\r\n";
const std::string announced =
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + plain;

TEST(ResponseReader, TakesAResponseInWhateverPiecesItComes) {
  for (const std::string& text : {plain, chunked, announced}) {
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
      response_reader reader(usual, false);
      ASSERT_EQ(feed(reader, text, piece), progress::complete) << text << " in " << piece;
      const exchange_end e = reader.end(true);
      EXPECT_TRUE(may_reuse(e));
      const http_response r = reader.take();
      EXPECT_EQ(r.status, 200);
      EXPECT_EQ(r.body, "hello");
    }
  }
}

// Beast's parser asserts otherwise (see last_chunk).
TEST(ResponseReader, TakesAnEmptyChunkedBodyInWhateverPiecesItComes) {
  const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string body : {"0\r\n\r\n", "000;a=b\r\n\r\n", "0\r\nAfter: all\r\n\r\n"}) {
    const std::string text = head + body;
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
      response_reader reader(usual, false);
      ASSERT_EQ(feed(reader, text, piece), progress::complete) << text << " in " << piece;
      EXPECT_TRUE(may_reuse(reader.end(true)));
      EXPECT_EQ(reader.take().body, "");
    }
    for (std::size_t whole = head.size(); whole < text.size(); ++whole) {
      response_reader cut(usual, false);
      ASSERT_EQ(feed(cut, text.substr(0, whole)), progress::unfinished);
      ASSERT_EQ(cut.took_end(), progress::refused);
      EXPECT_EQ(cut.error(), errc::partial_response);
    }
  }
}

TEST(ResponseReader, KeepsTheFieldsInTheirOrder) {
  response_reader reader(usual, false);
  ASSERT_EQ(feed(reader, announced), progress::complete);
  const http_response r = reader.take();
  EXPECT_EQ(r.reason, "Fine");
  std::string all;
  for (const auto& [name, value] : r.fields) all += name + "=" + value + " ";
  EXPECT_EQ(all, "Content-Length=5 Via=a X-Y=1 via=b ") << "and none of the interim responses";
}

TEST(ResponseReader, KeepsTrailersWithTheFields) {
  response_reader reader(usual, false);
  ASSERT_EQ(feed(reader, chunked), progress::complete);
  EXPECT_EQ(reader.take().fields.get("after"), "all");
}

TEST(ResponseReader, WhatComesAfterTheResponseForbidsReuse) {
  for (const std::string& text : {plain, chunked}) {
    response_reader reader(usual, false);
    ASSERT_EQ(feed(reader, text + "H"), progress::complete);
    EXPECT_EQ(reader.end(true).leftover, 1U);
    EXPECT_FALSE(may_reuse(reader.end(true)));
    EXPECT_EQ(reader.take().body, "hello");
  }
}

TEST(ResponseReader, ABodyOfAnyLengthUpToTheLimitComesThrough) {
  for (const std::size_t size : {4000UL, 5000UL, 70'000UL, 1024UL * 1024}) {
    response_reader reader(usual, false);
    std::string body(size, '\0');
    for (std::size_t i = 0; i < size; ++i) body[i] = static_cast<char>('a' + i % 23);
    const auto text =
        "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" + body;
    ASSERT_EQ(feed(reader, text), progress::complete) << size;
    EXPECT_EQ(reader.take().body, body);
  }
}

TEST(ResponseReader, ALargeBodyIsReadIntoTheSameMemoryAlsoWhenLittleIsAllowed) {
  const response_limits small{8192, 1024UL * 1024};
  response_reader reader(small, false);
  const std::string piece(8192, 'x');
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n";
  ASSERT_EQ(feed(reader, head + piece), progress::unfinished);
  ASSERT_EQ(feed(reader, piece), progress::unfinished);
  const void* const at = reader.space().data();
  EXPECT_EQ(reader.space().size(), 8192U);
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(feed(reader, piece), progress::unfinished);
    EXPECT_EQ(reader.space().data(), at);
  }
}

TEST(ResponseReader, RefusesABodyAboveTheLimit) {
  const response_limits small{1024, 4};
  for (const std::string& text : {plain, chunked}) {
    response_reader reader(small, false);
    ASSERT_EQ(feed(reader, text), progress::refused);
    EXPECT_EQ(reader.error(), errc::body_too_large);
  }
}

TEST(ResponseReader, RefusesWhatIsTooLargeOutsideOfTheBody) {
  const std::string filler(1100, 'f');
  const std::vector<std::string> texts = {
      "HTTP/1.1 200 OK\r\nX: " + filler + "\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + filler + "\r\nx\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + filler + "\r\n\r\n"};
  for (const std::string& text : texts) {
    for (const std::size_t piece : {100UL, 1000UL}) {
      response_reader reader(usual, false);
      ASSERT_EQ(feed(reader, text, piece), progress::refused) << text;
      EXPECT_EQ(reader.error(), errc::header_too_large);
    }
  }
}

TEST(ResponseReader, AHeadLargerThanTheFirstReadIsFine) {
  const response_limits large{64UL * 1024, 10};
  const std::string value(20'000, 'v');
  response_reader reader(large, false);
  ASSERT_EQ(feed(reader, "HTTP/1.1 204 No Content\r\nX: " + value + "\r\n\r\n"),
            progress::complete);
  EXPECT_EQ(reader.take().fields.get("x"), value);
}

TEST(ResponseReader, RefusesAHeadThatCannotBeBelieved) {
  for (const std::string_view text :
       {"HTTP/1.1 101 Switching\r\n\r\n",
        "HTTP/1.1 600 What\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        "SSH-2.0-x\r\n\r\n"}) {
    response_reader reader(usual, false);
    ASSERT_EQ(feed(reader, text), progress::refused) << text;
    EXPECT_EQ(reader.error(), errc::bad_response) << text;
  }
}

TEST(ResponseReader, AnEndlessStreamOfInterimResponsesIsNoResponse) {
  response_reader reader(usual, false);
  progress p = progress::unfinished;
  for (int i = 0; i < 20 && p == progress::unfinished; ++i) {
    p = feed(reader, "HTTP/1.1 103 Early Hints\r\n\r\n");
  }
  ASSERT_EQ(p, progress::refused);
  EXPECT_EQ(reader.error(), errc::bad_response);
}

TEST(ResponseReader, TheEndOfTheConnectionMayEndABodyAndNothingElse) {
  response_reader unbounded(usual, false);
  ASSERT_EQ(feed(unbounded, "HTTP/1.1 200 OK\r\n\r\nhel"), progress::unfinished);
  ASSERT_EQ(feed(unbounded, "lo"), progress::unfinished);
  ASSERT_EQ(unbounded.took_end(), progress::complete);
  EXPECT_FALSE(may_reuse(unbounded.end(true)));
  EXPECT_EQ(unbounded.take().body, "hello");

  for (const std::string& text : {plain, chunked, announced}) {
    response_reader cut(usual, false);
    ASSERT_EQ(feed(cut, text.substr(0, text.size() - 1)), progress::unfinished);
    ASSERT_EQ(cut.took_end(), progress::refused);
    EXPECT_EQ(cut.error(), errc::partial_response);
  }
  response_reader silent(usual, false);
  ASSERT_EQ(silent.took_end(), progress::refused);
  EXPECT_EQ(silent.error(), errc::peer_closed);
  response_reader interim(usual, false);
  ASSERT_EQ(feed(interim, "HTTP/1.1 100 Continue\r\n\r\n"), progress::unfinished);
  ASSERT_EQ(interim.took_end(), progress::refused);
  EXPECT_EQ(interim.error(), errc::partial_response) << "a byte had arrived";
}

TEST(ResponseReader, TheAnswerToHeadHasNoBodyWhateverItSays) {
  response_reader reader(usual, true);
  ASSERT_EQ(feed(reader, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), progress::complete);
  EXPECT_TRUE(may_reuse(reader.end(true)));
  EXPECT_EQ(reader.take().body, "");
}

}  // namespace
}  // namespace redial::inline REDIAL_ABI::detail
