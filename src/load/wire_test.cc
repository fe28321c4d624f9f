#include "load/wire.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "platform/security/crypto.h"

namespace tipflow::load {
namespace {

constexpr std::string_view kCreated =
    "HTTP/1.1 201 Created\r\nContent-Length: 14\r\nContent-Type: application/json\r\n"
    "X-Trace-Id: 0192f3a4b5c67d8e9fa0b1c2d3e4f506\r\n\r\n{\"tipId\": 912}";
constexpr std::string_view kBusy =
    "HTTP/1.1 503 Service Unavailable\r\nretry-after: 2\r\ncontent-length: 0\r\n\r\n";
constexpr std::string_view kLast = "HTTP/1.1 204 No Content\r\nConnection: Close\r\n\r\n";

ParseState stateOf(std::string_view bytes) { return parseAnswer(bytes).state; }

TEST(Answers, are_read_with_status_body_and_wait) {
  const auto created = parseAnswer(kCreated);
  ASSERT_EQ(created.state, ParseState::complete);
  EXPECT_EQ(created.size, kCreated.size());
  EXPECT_EQ(created.answer.status, 201);
  EXPECT_EQ(created.answer.body, "{\"tipId\": 912}");
  EXPECT_FALSE(created.answer.closes);
  EXPECT_FALSE(created.answer.retryAfterSeconds);

  const auto busy = parseAnswer(kBusy);
  ASSERT_EQ(busy.state, ParseState::complete);
  EXPECT_EQ(busy.answer.status, 503);
  EXPECT_EQ(busy.answer.retryAfterSeconds, 2);
  EXPECT_EQ(busy.answer.body, "");
}

TEST(Answers, are_the_same_wherever_the_bytes_are_split) {
  for (const auto whole : {kCreated, kBusy, kLast}) {
    for (std::size_t split = 0; split < whole.size(); ++split) {
      EXPECT_EQ(stateOf(whole.substr(0, split)), ParseState::incomplete) << split;
    }
    EXPECT_EQ(stateOf(whole), ParseState::complete);
  }
}

TEST(Answers, that_came_together_are_read_one_after_the_other) {
  std::string bytes;
  bytes += kCreated;
  bytes += kBusy;
  bytes += kLast;
  std::string_view rest = bytes;
  std::vector<int> statuses;
  while (!rest.empty()) {
    const auto parsed = parseAnswer(rest);
    ASSERT_EQ(parsed.state, ParseState::complete);
    statuses.push_back(parsed.answer.status);
    rest.remove_prefix(parsed.size);
  }
  EXPECT_EQ(statuses, (std::vector<int>{201, 503, 204}));
}

TEST(Answers, say_when_the_connection_ends_with_them) {
  EXPECT_TRUE(parseAnswer(kLast).answer.closes);
  EXPECT_TRUE(parseAnswer("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").answer.closes);
}

TEST(Answers, that_cannot_be_trusted_are_malformed) {
  for (const std::string_view bytes : {
           "GET / HTTP/1.1\r\n\r\n",
           "x",
           "HTTP/1.1 20\r\nContent-Length: 0\r\n\r\n",
           "HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n",
           "HTTP/1.1 100 Continue\r\n\r\n",
           "HTTP/1.1 200 OK\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 0\r\n\r\n",
       }) {
    EXPECT_EQ(stateOf(bytes), ParseState::malformed) << bytes;
  }
  EXPECT_EQ(stateOf("HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x')), ParseState::malformed);
}

TEST(Requests, carry_the_senders_headers) {
  const auto headers = senderHeaders(*parseUrl("http://127.0.0.1:8080"), "abc.def");
  std::string get;
  appendGet(get, {"/api/v1/tips/1", headers, {}});
  EXPECT_EQ(get,
            "GET /api/v1/tips/1 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n"
            "Authorization: Bearer abc.def\r\n\r\n");
  std::string post;
  appendPost(post, {"/api/v1/viewers/guests", senderHeaders({"node", 80}, ""), "{}"});
  EXPECT_EQ(post,
            "POST /api/v1/viewers/guests HTTP/1.1\r\nHost: node:80\r\n"
            "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
}

TEST(Requests, are_signed_as_the_contract_says) {
  // openapi.yaml: METHOD \n path \n timestamp \n nonce \n hex SHA-256(body), under the raw key.
  crypto::initialise();
  const auto key = crypto::fromBase64Url("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
  ASSERT_TRUE(key);
  const std::string body = R"({"traceId":"019cec37-b67b-7b44-9d21-6a3c0f8e1b57","roomId":1012})";
  const TraceId nonce{0x0123456789abcdefULL, 0xfedcba9876543210ULL};
  const crypto::HmacKey signingKey(*key);
  for (int request = 0; request < 2; ++request) {  // what was signed leaves nothing behind
    std::string post;
    appendSignedPost(post, {"/api/v1/tips", "Host: node:80\r\n", body},
                     {signingKey, 1773489600123, nonce});
    EXPECT_EQ(post,
              "POST /api/v1/tips HTTP/1.1\r\nHost: node:80\r\n"
              "X-Tipflow-Timestamp: 1773489600123\r\n"
              "X-Tipflow-Nonce: 0123456789abcdeffedcba9876543210\r\n"
              "X-Tipflow-Signature: "
              "v1=8927cf857db591ca0f0e4aff1d0d2bc7452efc2aef7c707262a5ef2f5139217d\r\n"
              "Content-Type: application/json\r\nContent-Length: 64\r\n\r\n" +
                  body);
  }
}

TEST(Urls, are_a_scheme_a_host_and_a_port) {
  const auto plain = parseUrl("http://127.0.0.1:8080");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->host, "127.0.0.1");
  EXPECT_EQ(plain->port, 8080);
  EXPECT_EQ(parseUrl("http://node-1/")->authority(), "node-1:80");
  EXPECT_EQ(parseUrl("http://[::1]:9000")->host, "::1");
  EXPECT_EQ(parseUrl("http://[::1]:9000")->authority(), "[::1]:9000");
  for (const auto* text :
       {"", "127.0.0.1:8080", "https://node", "http://", "http://:80",
        "http://node:", "http://node:0", "http://node:65536", "http://node:8x", "http://node/api",
        "http://me@node", "http://[::1", "http://[::1]9", "http://[[1]:80", "http://a]b"}) {
    EXPECT_FALSE(parseUrl(text)) << text;
  }
}

TEST(Members, are_found_by_name_and_not_in_text) {
  constexpr std::string_view json =
      R"({"message":"\"amount\":7","kind":"amount","amount": 5200,"share":1.5,"code":"not_found"})";
  EXPECT_EQ(integerMember(json, "amount"), 5200);
  EXPECT_EQ(integerMember(json, "share"), std::nullopt);
  EXPECT_EQ(integerMember(json, "count"), std::nullopt);
  EXPECT_EQ(textMember(json, "code"), "not_found");
  EXPECT_EQ(textMember(json, "amount"), std::nullopt);
  EXPECT_EQ(integerMember(R"({"amount":)", "amount"), std::nullopt);
}

}  // namespace
}  // namespace tipflow::load
