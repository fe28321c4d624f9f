#include "platform/security/revocations.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace tipflow {
namespace {

using Revoked = Revocations::Revoked;

constexpr Time kNow{1'770'000'000'000'000};
constexpr Duration kHour{kUsPerHour};

void revoke(Revocations& revocations, const std::string& tokenId, Time expiresAt) {
  drogon::sync_wait(revocations.revoke(tokenId, expiresAt));
}

struct RevocationsTest : testing::Test {
  ManualClock clock{kNow};
  LocalBus bus;
  std::string file = testing::TempDir() + "tipflow_revocations_test_" + std::to_string(getpid());

  void SetUp() override { std::filesystem::remove(file); }
  void TearDown() override { std::filesystem::remove(file); }
};

TEST_F(RevocationsTest, are_known_to_all_who_hear_the_bus_until_the_token_has_ended) {
  Revocations here(clock, bus);
  Revocations there(clock, bus);
  revoke(here, "a", kNow + kHour);
  for (const auto* each : {&here, &there}) {
    EXPECT_TRUE(each->has("a"));
    EXPECT_FALSE(each->has("b"));
  }
  clock.advance(kHour);
  EXPECT_TRUE(here.all().empty());
  EXPECT_EQ(there.count(), 0U);
}

TEST_F(RevocationsTest, tell_once_of_each_token_that_is_dead_from_now_on) {
  Revocations here(clock, bus);
  std::vector<std::string> heard;
  here.onRevoked([&](const std::string& tokenId) { heard.push_back(tokenId); });
  revoke(here, "a", kNow + kHour);
  revoke(here, "a", kNow + kHour);
  here.learn({{"a", kNow + kHour}, {"b", kNow + kHour * 2}, {"over", kNow}});
  EXPECT_EQ(heard, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(here.all(), (std::vector<Revoked>{{"a", kNow + kHour}, {"b", kNow + kHour * 2}}));
}

TEST_F(RevocationsTest, are_shared_beside_the_bus_behind_its_message) {
  Revocations here(clock, bus);
  std::vector<std::string> order;
  bus.subscribe(topic::kTokenRevoked, [&](std::string_view) { order.emplace_back("bus"); });
  here.shareBy([&](Revoked revoked) -> drogon::Task<> {
    order.push_back(revoked.tokenId);
    co_return;
  });
  revoke(here, "a", kNow + kHour);
  EXPECT_EQ(order, (std::vector<std::string>{"bus", "a"}));
}

TEST_F(RevocationsTest, outlive_the_process_wherever_they_were_made) {
  {
    LocalBus quiet;
    Revocations before(clock, quiet);
    before.keepIn(file);
    revoke(before, "here", kNow + kHour);
    before.learn({{"elsewhere", kNow + kHour * 2}});
  }
  {
    LocalBus quiet;
    Revocations after(clock, quiet);
    after.keepIn(file);
    EXPECT_TRUE(after.has("here"));
    EXPECT_TRUE(after.has("elsewhere"));
  }
  clock.advance(kHour * 2);
  LocalBus quiet;
  Revocations late(clock, quiet);
  late.keepIn(file);
  EXPECT_EQ(std::filesystem::file_size(file), 0U) << "what has ended is not carried along for ever";
}

TEST_F(RevocationsTest, take_nothing_from_lines_that_are_damaged) {
  const auto seconds = std::to_string((kNow + kHour).us / kUsPerSecond);
  std::ofstream(file) << "good " << seconds << "\n\n one\ntwo\nthree x\nfour -1\nfive "
                      << "9223372036854775807\nsix " << seconds << "x\nalso " << seconds << "\n";
  Revocations here(clock, bus);
  here.keepIn(file);
  bus.publish(topic::kTokenRevoked, "no end");
  bus.publish(topic::kTokenRevoked, "");
  EXPECT_EQ(here.all().size(), 2U);
  EXPECT_TRUE(here.has("good"));
  EXPECT_TRUE(here.has("also"));
}

TEST_F(RevocationsTest, say_when_they_cannot_be_kept) {
  Revocations here(clock, bus);
  EXPECT_THROW(here.keepIn("/nowhere/revoked"), std::runtime_error);
}

}  // namespace
}  // namespace tipflow
