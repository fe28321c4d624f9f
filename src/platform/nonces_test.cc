#include "platform/nonces.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

namespace tipflow {
namespace {

using Taken = Nonces::Taken;

constexpr Duration kLifetime{601 * kUsPerSecond};
constexpr Duration kLittle{1};

TEST(Nonces, are_good_once_for_as_long_as_they_are_kept) {
  ManualClock clock(Time{1'770'000'000'000'000});
  LocalNonces nonces(clock, kLifetime, 10);
  EXPECT_EQ(nonces.take("a", false), Taken::fresh);
  EXPECT_EQ(nonces.take("a", false), Taken::used);
  EXPECT_EQ(nonces.take("b", false), Taken::fresh);
  clock.advance(kLifetime - kLittle);
  EXPECT_EQ(nonces.take("a", false), Taken::used);
  clock.advance(kLittle);
  EXPECT_EQ(nonces.take("a", false), Taken::fresh);
}

TEST(Nonces, are_not_forgotten_for_want_of_room) {
  ManualClock clock(Time{1'770'000'000'000'000});
  LocalNonces nonces(clock, kLifetime, 3);
  for (const auto* nonce : {"a", "b", "c"}) EXPECT_EQ(nonces.take(nonce, false), Taken::fresh);
  EXPECT_EQ(nonces.take("d", false), Taken::full);
  for (const auto* nonce : {"a", "b", "c"}) EXPECT_EQ(nonces.take(nonce, false), Taken::used);
  clock.advance(kLifetime);
  EXPECT_EQ(nonces.take("d", false), Taken::fresh);
}

TEST(Nonces, survive_a_clock_that_is_set_back) {
  ManualClock clock(Time{1'770'000'000'000'000});
  LocalNonces nonces(clock, kLifetime, 10);
  EXPECT_EQ(nonces.take("a", false), Taken::fresh);
  clock.set(clock.now() - kLifetime);
  EXPECT_EQ(nonces.take("b", false), Taken::fresh);
  EXPECT_EQ(nonces.take("a", false), Taken::used);
  clock.advance(kLifetime + kLifetime - kLittle);
  EXPECT_EQ(nonces.take("a", false), Taken::used);
  clock.advance(kLittle);
  EXPECT_EQ(nonces.take("a", false), Taken::fresh);
  EXPECT_EQ(nonces.take("b", false), Taken::fresh);
}

struct LastingNonces : testing::Test {
  ManualClock clock{Time{1'770'000'000'000'000}};
  std::string file = testing::TempDir() + "/nonces-" + std::to_string(getpid());

  void SetUp() override { std::filesystem::remove(file); }
  void TearDown() override { std::filesystem::remove(file); }
  std::unique_ptr<LocalNonces> opened(std::size_t most = 1'000'000) {
    auto nonces = std::make_unique<LocalNonces>(clock, kLifetime, most);
    nonces->keepIn(file);
    return nonces;
  }
};

TEST_F(LastingNonces, are_known_to_the_next_process_until_their_time_is_over) {
  EXPECT_EQ(opened()->take("a", true), Taken::fresh);
  clock.advance(kLifetime - kLittle);
  EXPECT_EQ(opened()->take("a", true), Taken::used);
  clock.advance(kLittle);
  EXPECT_EQ(opened()->take("a", true), Taken::fresh);
}

TEST_F(LastingNonces, leave_the_others_out_of_the_file) {
  auto first = opened();
  EXPECT_EQ(first->take("a", false), Taken::fresh);
  EXPECT_EQ(first->take("b", true), Taken::fresh);
  auto second = opened();
  EXPECT_EQ(second->take("a", false), Taken::fresh);
  EXPECT_EQ(second->take("b", false), Taken::used);
}

TEST_F(LastingNonces, fill_no_disk_however_many_there_were) {
  auto nonces = opened();
  for (int i = 0; i < 200'000; ++i) {
    ASSERT_EQ(nonces->take("nonce-" + std::to_string(i), true), Taken::fresh);
    clock.advance(Duration{kUsPerSecond});
  }
  EXPECT_LT(std::filesystem::file_size(file), 1'000'000U);
  auto next = opened();
  EXPECT_EQ(next->take("nonce-199999", true), Taken::used);
  EXPECT_EQ(next->take("nonce-199500", true), Taken::used);
}

TEST_F(LastingNonces, are_taken_again_once_they_can_be_written_again) {
  const auto folder = file + ".d";
  std::filesystem::create_directory(folder);
  LocalNonces nonces(clock, kLifetime, 10);
  nonces.keepIn(folder + "/nonces");
  EXPECT_EQ(nonces.take("a", true), Taken::fresh);
  std::filesystem::remove_all(folder);
  EXPECT_THROW(nonces.keepIn(folder + "/nonces"), std::runtime_error);
  EXPECT_EQ(nonces.take("b", true), Taken::full);
  std::filesystem::create_directory(folder);
  EXPECT_EQ(nonces.take("b", true), Taken::fresh);
  LocalNonces next(clock, kLifetime, 10);
  next.keepIn(folder + "/nonces");
  EXPECT_EQ(next.take("a", true), Taken::used);
  EXPECT_EQ(next.take("b", true), Taken::used);
  std::filesystem::remove_all(folder);
}

TEST_F(LastingNonces, are_refused_when_they_cannot_be_written) {
  LocalNonces nonces(clock, kLifetime, 10);
  EXPECT_THROW(nonces.keepIn("/nowhere/nonces"), std::runtime_error);
  EXPECT_EQ(nonces.take("a", true), Taken::full);
  EXPECT_EQ(nonces.take("b", false), Taken::fresh);
}

TEST(Nonces, let_one_of_many_at_once_through) {
  SystemClock clock;
  LocalNonces nonces(clock, kLifetime, 1'000);
  constexpr int kThreads = 8;
  constexpr int kRounds = 200;
  std::vector<std::atomic<int>> fresh(kRounds);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        for (int round = 0; round < kRounds; ++round) {
          if (nonces.take(std::to_string(round), false) == Taken::fresh) ++fresh[round];
        }
      });
    }
  }
  for (int round = 0; round < kRounds; ++round) EXPECT_EQ(fresh[round], 1) << round;
}

}  // namespace
}  // namespace tipflow
