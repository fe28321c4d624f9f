#include "platform/http/router.h"

#include <gtest/gtest.h>

#include "platform/security/crypto.h"

namespace tipflow::http {
namespace {

struct RouterTest : testing::Test {
  static void SetUpTestSuite() { crypto::initialise(); }

  ManualClock clock{Time{1'770'000'000'000'000}};
  SeededRandom random{1};
  LocalNonces nonces{clock, kNonceLifetime, 10};
  LocalBus bus;
  Revocations revocations{clock, bus};
  Tokens tokens{std::string(32, 'k'), clock, random, revocations};
  SignatureCheck signatures{true, clock, nonces};
  NodeSignatureCheck nodes{std::string(32, 'c'), clock};
  Metrics metrics;
  Gate gate{{}, {}, clock, metrics};
  Tracing tracing{{}, random};
  Router router{{gate, tokens, signatures, nodes}, tracing, metrics, clock};

  static Task<ResponsePtr> handler(Call&) { co_return noContent(); }
};

TEST_F(RouterTest, takes_no_route_without_a_rule_who_may_use_it) {
  EXPECT_THROW(router.add({Method::get, "/open", Access{}, handler}), std::logic_error);
  EXPECT_TRUE(router.routes().empty());
  router.add({Method::get, "/open", Access::anyone(), handler});
  ASSERT_EQ(router.routes().size(), 1U);
  EXPECT_EQ(router.routes().front().bodyLimit, 64U * 1024);
}

TEST_F(RouterTest, keeps_what_is_for_nodes_under_internal_and_nothing_else_there) {
  EXPECT_THROW(router.add({Method::get, "/internal/v1/x", Access::anyone(), handler}),
               std::logic_error);
  EXPECT_THROW(router.add({Method::get, "/internal/v1/x", Access::operators(), handler}),
               std::logic_error);
  EXPECT_THROW(router.add({Method::get, "/api/v1/x", Access::nodes(), handler}), std::logic_error);
  EXPECT_NO_THROW(router.add({Method::get, "/internal/v1/x", Access::nodes(), handler}));
}

TEST_F(RouterTest, names_the_methods_of_an_address_whatever_stands_in_its_places) {
  router.add({Method::get, "/api/v1/rooms/{id}", Access::signedIn(), handler});
  router.add({Method::patch, "/api/v1/rooms/{id}", Access::operators(), handler});
  router.add(
      {Method::delete_, "/api/v1/rooms/{id}/kicks/{viewerId}", Access::operators(), handler});
  router.add({Method::get, "/internal/v1/x/{id}", Access::nodes(), handler});
  EXPECT_EQ(router.allowedAt("/api/v1/rooms/7"), "GET, PATCH");
  EXPECT_EQ(router.allowedAt("/api/v1/rooms/7/kicks/9"), "DELETE");
  for (const auto* path : {"", "/", "/api/v1/rooms", "/api/v1/rooms/7/", "/api/v1/rooms/7/kicks",
                           "/api/v1/rooms/7/kicks/9/x", "/internal/v1/x/1"}) {
    EXPECT_EQ(router.allowedAt(path), "") << path;
  }
}

TEST(Router, methods_have_the_names_that_signatures_cover) {
  EXPECT_EQ(name(Method::get), "GET");
  EXPECT_EQ(name(Method::post), "POST");
  EXPECT_EQ(name(Method::put), "PUT");
  EXPECT_EQ(name(Method::patch), "PATCH");
  EXPECT_EQ(name(Method::delete_), "DELETE");
}

}  // namespace
}  // namespace tipflow::http
