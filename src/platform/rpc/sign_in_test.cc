// Log-ins whose accounts another node keeps, with a real server that has them.
#include "platform/rpc/sign_in.h"

#include <gtest/gtest.h>
#include <trantor/net/EventLoopThread.h>

#include <future>

#include "platform/rpc/fake_node.h"

namespace tipflow::rpc {
namespace {

class SignInElsewhereTest : public ::testing::Test {
 protected:
  SignInElsewhereTest() {
    registry.add({"node", "audience", "127.0.0.1", node.port(), "1"});
    thread.run();
  }
  ~SignInElsewhereTest() override {
    thread.getLoop()->quit();
    thread.wait();
  }
  std::optional<SignedIn> check(PrincipalKind kind = PrincipalKind::viewer) {
    std::promise<std::optional<SignedIn>> promise;
    thread.getLoop()->queueInLoop([&] {
      drogon::async_run([&]() -> drogon::Task<> {
        try {
          std::string name = "Wang";
          std::string password = "secret of Wang";
          const auto who = co_await elsewhere.check(kind, std::move(name), std::move(password));
          promise.set_value(who);
        } catch (...) {
          promise.set_exception(std::current_exception());
        }
      });
    });
    return promise.get_future().get();
  }

  FakeNode node;
  LocalRegistry registry;
  Connections connections;
  SystemClock clock;
  SeededRandom random{1};
  Metrics metrics;
  Caller caller{"audience",
                registry,
                connections,
                [](auto, const auto&, const auto&) {
                  return std::vector<std::pair<std::string, std::string>>{};
                },
                clock,
                random,
                metrics};
  SignInElsewhere elsewhere{{{PrincipalKind::viewer, &caller}}};
  trantor::EventLoopThread thread;
};

TEST_F(SignInElsewhereTest, asks_the_role_that_keeps_the_accounts_and_is_told_who_it_is) {
  node.say("200 OK", R"({"account":{"id":9,"role":"viewer"}})");
  const auto who = check();
  ASSERT_TRUE(who);
  EXPECT_EQ(who->id, 9);
  EXPECT_EQ(who->role, Role::viewer);
  EXPECT_TRUE(node.last().starts_with("POST /internal/v1/sign-in "));
  EXPECT_TRUE(
      node.last().ends_with(R"({"kind":"viewer","name":"Wang","password":"secret of Wang"})"));
}

TEST_F(SignInElsewhereTest, a_password_that_does_not_fit_is_told_from_a_role_that_is_away) {
  node.say("200 OK", R"({"account":null})");
  EXPECT_FALSE(check());
  node.be(FakeNode::Mood::overloaded);
  EXPECT_THROW(check(), Away);
  EXPECT_THROW(check(PrincipalKind::anchor), Away);
  node.be(FakeNode::Mood::lying);
  EXPECT_THROW(check(), Unknown);
}

TEST_F(SignInElsewhereTest,
       a_node_that_does_not_believe_us_does_not_say_that_the_password_is_wrong) {
  node.say("404 Not Found", R"({"status":404,"code":"route_not_found"})");
  EXPECT_THROW(check(), Unknown);
}

}  // namespace
}  // namespace tipflow::rpc
