#include "platform/http/node_signature.h"

#include <gtest/gtest.h>

#include "platform/security/crypto.h"

namespace tipflow::http {
namespace {

constexpr Time kNow{1'770'000'000'000'000};
constexpr Duration kMs{kUsPerMs};
constexpr Duration kWindow{30 * kUsPerSecond};

struct NodeSignatureTest : testing::Test {
  static void SetUpTestSuite() { crypto::initialise(); }

  std::string key = std::string(32, 'c');
  ManualClock clock{kNow};
  NodeSignatureCheck check{key, clock};

  // A request as another node sends it; each part can be changed after it was signed.
  struct Sent {
    std::string node;
    std::string method = "POST";
    std::string target = "/internal/v1/ping?a=1";
    std::string timestamp;
    std::string body = "{}";
    std::string signature;
  };
  [[nodiscard]] Sent sent(Time at = kNow) const {
    Sent request;
    const auto headers =
        signNode(key, "node-1:8080", request.method, request.target, request.body, at);
    request.node = headers.node;
    request.timestamp = headers.timestamp;
    request.signature = headers.signature;
    return request;
  }
  [[nodiscard]] bool accepts(const Sent& request) const {
    return check.accepts(
        {request.node, request.method, request.target, request.timestamp, request.body},
        request.signature);
  }
  template <class Change>
  [[nodiscard]] bool acceptsAltered(Change change) const {
    auto request = sent();
    change(request);
    return accepts(request);
  }
};

TEST_F(NodeSignatureTest, accepts_what_a_node_with_the_cluster_key_signed) {
  EXPECT_TRUE(accepts(sent()));
  EXPECT_TRUE(accepts(sent())) << "and again: repetitions are borne";
}

TEST_F(NodeSignatureTest, refuses_every_altered_part) {
  EXPECT_FALSE(acceptsAltered([](Sent& r) { r.node = "node-2:8080"; }));
  EXPECT_FALSE(acceptsAltered([](Sent& r) { r.method = "GET"; }));
  EXPECT_FALSE(acceptsAltered([](Sent& r) { r.target = "/internal/v1/ping?a=2"; }));
  EXPECT_FALSE(acceptsAltered([](Sent& r) { r.target = "/internal/v1/ping"; }));
  EXPECT_FALSE(
      acceptsAltered([](Sent& r) { r.timestamp = std::to_string(kNow.us / kUsPerMs + 1); }));
  EXPECT_FALSE(acceptsAltered([](Sent& r) { r.timestamp = ""; }));
  EXPECT_FALSE(acceptsAltered([](Sent& r) { r.timestamp += "x"; }));
  EXPECT_FALSE(acceptsAltered([](Sent& r) { r.body = "{} "; }));
  EXPECT_FALSE(acceptsAltered([](Sent& r) { r.signature.back() ^= 1; }));
  EXPECT_FALSE(acceptsAltered([](Sent& r) { r.signature = ""; }));
  EXPECT_FALSE(acceptsAltered([](Sent& r) { r.signature = "n1="; }));
  EXPECT_FALSE(acceptsAltered([](Sent& r) { r.signature = "v1=" + r.signature.substr(3); }));
}

TEST_F(NodeSignatureTest, refuses_parts_moved_across_their_borders) {
  EXPECT_FALSE(acceptsAltered([](Sent& r) {
    r.node += "\n" + r.method;
    r.method = r.target;
    r.target = r.timestamp;
  }));
}

TEST_F(NodeSignatureTest, refuses_another_key) {
  const NodeSignatureCheck other(std::string(32, 'd'), clock);
  const auto request = sent();
  EXPECT_FALSE(
      other.accepts({request.node, request.method, request.target, request.timestamp, request.body},
                    request.signature));
}

TEST_F(NodeSignatureTest, holds_for_thirty_seconds_around_our_clock) {
  EXPECT_TRUE(accepts(sent(kNow - kWindow)));
  EXPECT_TRUE(accepts(sent(kNow + kWindow)));
  EXPECT_FALSE(accepts(sent(kNow - kWindow - kMs)));
  EXPECT_FALSE(accepts(sent(kNow + kWindow + kMs)));
}

TEST_F(NodeSignatureTest, takes_names_that_a_header_carries) {
  EXPECT_TRUE(isNodeName("node-1:8080"));
  for (const auto& name : {std::string(), std::string("a b"), std::string("a\nb"),
                           std::string("节点"), std::string(129, 'a')}) {
    EXPECT_FALSE(isNodeName(name)) << name;
    auto request = sent();
    const auto headers = signNode(key, name, request.method, request.target, request.body, kNow);
    request.node = name;
    request.signature = headers.signature;
    EXPECT_FALSE(accepts(request)) << name;
  }
}

}  // namespace
}  // namespace tipflow::http
