#include "platform/http/router.h"

#include <gtest/gtest.h>

#include "platform/security/crypto.h"

namespace tipflow::http {
namespace {

TEST(Router, takes_no_route_without_a_rule_who_may_use_it) {
  crypto::initialise();
  ManualClock clock(Time{1'770'000'000'000'000});
  SeededRandom random(1);
  LocalCache cache(clock, 10);
  LocalBus bus;
  Tokens tokens(std::string(32, 'k'), clock, random, cache, bus);
  SignatureCheck signatures(true, clock, cache);
  Metrics metrics;
  Router router(tokens, signatures, metrics, clock, random);
  const auto handler = [](Call&) -> Task<ResponsePtr> { co_return noContent(); };

  EXPECT_THROW(router.add({Method::get, "/open", Access{}, handler}), std::logic_error);
  EXPECT_TRUE(router.routes().empty());
  router.add({Method::get, "/open", Access::anyone(), handler});
  ASSERT_EQ(router.routes().size(), 1U);
  EXPECT_EQ(router.routes().front().bodyLimit, 64U * 1024);
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
