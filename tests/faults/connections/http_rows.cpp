// SPDX-License-Identifier: Apache-2.0
//
// Peers and callers who send what HTTP does not allow, and names that mean harm.
#include <redial/core/address_range.hpp>
#include <redial/testing/dns_server.hpp>

#include "connection_rows.hpp"
#include "row_worlds.hpp"

#include <algorithm>
#include <stdexcept>

namespace redial::inline REDIAL_ABI::testing {
namespace {

using namespace std::string_literals;
using ::testing::HasSubstr;
using ::testing::Not;

std::string ok(const std::string& fields, const std::string& body = "") {
  return "HTTP/1.1 200 OK\r\n" + fields + "\r\n" + body;
}
const std::string chunked = "Transfer-Encoding: chunked\r\n";

void dns_rebinding() {
  http_row w;
  dns_server dns;
  dns.set("evil.test", record_type::a, {"127.0.0.1"}, 60s);
  dns.set("evil.test", record_type::aaaa, {"::1", "::ffff:127.0.0.1"}, 60s);
  discovery_options o;
  o.nameservers = {dns.address()};
  o.hosts_path = "";
  const std::string text = "http://evil.test:" + std::to_string(w.server.port());
  const auto open = discovery::create(w.io.get_executor(), o);
  w.client.emplace(w.io.get_executor(), open, text, w.options);
  EXPECT_FALSE(w.get().error) << "off by default";
  o.denied_addresses = internal_address_ranges();
  const auto careful = discovery::create(w.io.get_executor(), o);
  w.client.emplace(w.io.get_executor(), careful, text, w.options);
  EXPECT_EQ(w.get("/", 5s).error, errc::no_data);
  EXPECT_GE(careful->counters().dropped_records, 3U);
  EXPECT_EQ(w.server.requests().size(), 1U);
}

/// Refused before anything is sent.
void expect_refused(http_row& w, http_request r) {
  const std::string what = r.method + " " + r.target;
  EXPECT_EQ(w.send(std::move(r)).error, errc::invalid_request) << what;
  EXPECT_TRUE(w.server.requests().empty()) << what;
}

void control_bytes() {
  http_row w;
  for (const std::string& evil : {"a\r\nX: y"s, "a\nb"s, "a\rb"s, "a\0b"s, "a\x7f"s, "a\x01"s}) {
    expect_refused(w, http_request(evil, "/"));
    expect_refused(w, http_request("GET", "/" + evil));
    http_request name("GET", "/");
    name.fields.add(evil, "x");
    expect_refused(w, name);
    http_request value("GET", "/");
    value.fields.add("X", evil);
    expect_refused(w, value);
  }
}

void bad_targets() {
  http_row w;
  for (const char* t : {"", "relative", "http://other.test/", "/a b", "/a#b", "*", "?q"}) {
    expect_refused(w, http_request("GET", t));
  }
}

void two_hosts() {
  http_row w;
  http_request r("GET", "/");
  r.fields.add("Host", "a.test");
  r.fields.add("host", "b.test");
  expect_refused(w, r);
  w.expect_served(1);
  http_request own("GET", "/");
  own.fields.add("Host", "a.test");
  EXPECT_FALSE(w.send(own).error);
  EXPECT_THAT(w.server.requests().at(0), HasSubstr("\r\nHost: " + w.server.authority() + "\r\n"));
  EXPECT_THAT(w.server.requests().at(1), HasSubstr("\r\nHost: a.test\r\n"));
  EXPECT_THAT(w.server.requests().at(1), Not(HasSubstr(w.server.authority())));
}

void expect_bad_response(http_row& w, const std::string& bytes) {
  const auto before = w.server.requests().size();
  const http_result r = w.get_reply(bytes);
  EXPECT_EQ(r.error, errc::bad_response) << bytes.substr(0, 80) << r.error.message();
  EXPECT_EQ(w.client->connection_gauges().idle, 0U);
  EXPECT_EQ(w.server.requests().size(), before + 1);
}

void lengths_that_lie() {
  http_row w;
  for (const char* length : {"+3", "-1", "18446744073709551616", "3 3", "0x3"}) {
    expect_bad_response(w, ok("Content-Length: "s + length + "\r\n", "abc"));
  }
  expect_bad_response(w, ok("Content-Length: 3\r\nContent-Length: 4\r\n", "abc"));
  expect_bad_response(w, ok("Content-Length: 3\r\n" + chunked, "abc"));
}

void unknown_codings() {
  http_row w;
  const std::string body = "2\r\nok\r\n0\r\n\r\n";
  for (const char* coding : {"gzip", "gzip, chunked", "chunked, chunked", "chunked;x=y", "x"}) {
    expect_bad_response(w, ok("Transfer-Encoding: "s + coding + "\r\n", body));
  }
  expect_bad_response(w, ok(chunked + chunked, body));
}

void bytes_left_over() {
  http_row w;
  EXPECT_FALSE(w.is_kept_after("HTTP/1.1 204 No\r\n\r\nbody", ""));
  EXPECT_FALSE(w.is_kept_after("HTTP/1.1 304 No\r\nContent-Length: 4\r\n\r\nbody", ""));
  EXPECT_FALSE(w.is_kept_after(ok("Content-Length: 2\r\n", "ok!"), "ok"));
  EXPECT_TRUE(w.is_kept_after("HTTP/1.1 204 No\r\n\r\n", ""));
}

void head_and_interim() {
  http_row w;
  EXPECT_TRUE(w.is_kept_after(ok("Content-Length: 1000\r\n"), "", "HEAD"));
  EXPECT_TRUE(w.is_kept_after(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\n\r\n" + ok("Content-Length: 2\r\n", "ok"),
      "ok"));
  expect_bad_response(w, "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n");
}

void odd_statuses() {
  http_row w;
  for (const char* status : {"099", "000", "600", "999", "2000", "abc", "20"}) {
    expect_bad_response(w, "HTTP/1.1 "s + status + " x\r\nContent-Length: 0\r\n\r\n");
  }
}

void too_much() {
  http_row w;
  w.options.max_header_bytes = 1024;
  w.options.max_body_bytes = 1000;
  EXPECT_EQ(w.get_reply(ok("A: " + std::string(2000, 'x') + "\r\n")).error, errc::header_too_large);
  std::string many;
  for (int i = 0; i < 2000; ++i) many += "A" + std::to_string(i) + ": b\r\n";
  EXPECT_EQ(w.get_reply(ok(many)).error, errc::header_too_large);
  const std::string body(1001, 'x');
  EXPECT_EQ(w.get_reply(ok("Content-Length: 1001\r\n", body)).error, errc::body_too_large);
  EXPECT_EQ(w.get_reply(ok("", body)).error, errc::body_too_large);
  EXPECT_EQ(w.get_reply(ok(chunked, "3e9\r\n" + body)).error, errc::body_too_large);
}

void extensions_and_trailers() {
  http_row w;
  EXPECT_EQ(w.get_reply(ok(chunked, "2;" + std::string(5'000'000, 'x') + "\r\nok\r\n")).error,
            errc::header_too_large);
  std::string trailers;
  for (int i = 0; i < 200'000; ++i) trailers += "X-T: y\r\n";
  EXPECT_EQ(w.get_reply(ok(chunked, "2\r\nok\r\n0\r\n" + trailers + "\r\n")).error,
            errc::header_too_large);
}

void redirects_and_cookies() {
  http_row w;
  w.server.next(ok("Content-Length: 0\r\nSet-Cookie: a=b\r\n"));
  w.server.next("HTTP/1.1 302 Found\r\nLocation: http://" + w.other.authority() +
                "/\r\nContent-Length: 0\r\n\r\n");
  EXPECT_FALSE(w.get().error);
  http_request secret("GET", "/");
  secret.fields.add("Authorization", "Bearer secret");
  EXPECT_EQ(w.send(std::move(secret)).response.status, 302);
  EXPECT_THAT(w.server.requests().at(1), Not(HasSubstr("Cookie")));
  EXPECT_TRUE(w.other.requests().empty());
}

void names_in_texts() {
  const std::string evil = "tcp://a\x1b[31m\r\nX: y" + std::string(100'000, 'z') + ".test:80";
  std::string said;
  try {
    target t(evil);
  } catch (const std::invalid_argument& e) {
    said = e.what();
  }
  EXPECT_FALSE(said.empty());
  EXPECT_LT(said.size(), 1000U);
  EXPECT_TRUE(std::all_of(said.begin(), said.end(), [](char c) { return c >= ' ' && c < 0x7f; }))
      << said;
}

}  // namespace

std::vector<fault_row> http_rows() {
  return {
      {156, "dns_rebinding", dns_rebinding, "other ranges: unit.core, unit.discovery"},
      {157, "control_bytes_in_a_request", control_bytes},
      {158, "request_target_empty_or_relative", bad_targets},
      {159, "host_twice", two_hosts},
      {160, "content_length_lies", lengths_that_lie},
      {161, "unknown_transfer_coding", unknown_codings},
      {162, "bytes_after_the_response", bytes_left_over},
      {163, "head_and_interim_responses", head_and_interim},
      {164, "status_out_of_range", odd_statuses},
      {165, "header_or_body_too_large", too_much},
      {166, "chunk_extensions_and_trailers", extensions_and_trailers},
      {167, "redirects_and_cookies", redirects_and_cookies},
      {168, "names_that_mean_harm", names_in_texts, "events and metrics: unit tests"},
  };
}

}  // namespace redial::inline REDIAL_ABI::testing
