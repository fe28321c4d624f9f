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
constexpr Time kNow{1'770'000'000'000'000};

// Stamped as its clients' clock says: with ours, or a little ahead.
Taken take(LocalNonces& nonces, const std::string& nonce, const Clock& clock, bool ahead = false) {
  const Time sent = ahead ? clock.now() + Duration{kUsPerSecond} : clock.now();
  return drogon::sync_wait(nonces.take({nonce, sent}));
}

TEST(Nonces, are_good_once_for_as_long_as_they_are_kept) {
  ManualClock clock(kNow);
  LocalNonces nonces(clock, kLifetime, 10);
  EXPECT_EQ(take(nonces, "a", clock), Taken::fresh);
  EXPECT_EQ(take(nonces, "a", clock), Taken::used);
  EXPECT_EQ(take(nonces, "b", clock), Taken::fresh);
  clock.advance(kLifetime - kLittle);
  EXPECT_EQ(take(nonces, "a", clock), Taken::used);
  clock.advance(kLittle);
  EXPECT_EQ(take(nonces, "a", clock), Taken::fresh);
}

TEST(Nonces, are_not_forgotten_for_want_of_room) {
  ManualClock clock(kNow);
  LocalNonces nonces(clock, kLifetime, 3);
  for (const auto* nonce : {"a", "b", "c"}) EXPECT_EQ(take(nonces, nonce, clock), Taken::fresh);
  EXPECT_EQ(take(nonces, "d", clock), Taken::full);
  for (const auto* nonce : {"a", "b", "c"}) EXPECT_EQ(take(nonces, nonce, clock), Taken::used);
  clock.advance(kLifetime);
  EXPECT_EQ(take(nonces, "d", clock), Taken::fresh);
}

TEST(Nonces, survive_a_clock_that_is_set_back) {
  ManualClock clock(kNow - kLifetime);
  LocalNonces nonces(clock, kLifetime, 10);
  clock.set(kNow);
  EXPECT_EQ(take(nonces, "a", clock), Taken::fresh);
  clock.set(clock.now() - kLifetime);
  EXPECT_EQ(take(nonces, "b", clock), Taken::fresh);
  EXPECT_EQ(take(nonces, "a", clock), Taken::used);
  clock.advance(kLifetime + kLifetime - kLittle);
  EXPECT_EQ(take(nonces, "a", clock), Taken::used);
  clock.advance(kLittle);
  EXPECT_EQ(take(nonces, "a", clock), Taken::fresh);
  EXPECT_EQ(take(nonces, "b", clock), Taken::fresh);
}

TEST(Nonces, sent_before_the_store_began_are_stale_and_later_ones_are_not) {
  ManualClock clock(kNow);
  LocalNonces nonces(clock, kLifetime, 10);
  const auto sent = [&](Duration ago) { return drogon::sync_wait(nonces.take({"a", kNow - ago})); };
  EXPECT_EQ(sent(Duration{2 * kUsPerMs}), Taken::stale);
  EXPECT_EQ(sent(Duration{kUsPerMs - 1}), Taken::fresh) << "timestamps are whole milliseconds";
}

TEST(Nonces, say_which_are_kept_and_for_how_long) {
  ManualClock clock(kNow);
  LocalNonces nonces(clock, kLifetime, 10);
  EXPECT_EQ(take(nonces, "a", clock), Taken::fresh);
  clock.advance(kLifetime / 2);
  EXPECT_EQ(take(nonces, "b", clock), Taken::fresh);
  using Known = std::vector<std::pair<std::string, Time>>;
  EXPECT_EQ(nonces.known(),
            (Known{{"a", kNow + kLifetime}, {"b", kNow + kLifetime / 2 + kLifetime}}));
  clock.advance(kLifetime / 2);
  EXPECT_EQ(nonces.known(), (Known{{"b", kNow + kLifetime / 2 + kLifetime}}));
}

struct LastingNonces : testing::Test {
  ManualClock clock{kNow};
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
  EXPECT_EQ(take(*opened(), "a", clock, true), Taken::fresh);
  clock.advance(kLifetime - kLittle);
  EXPECT_EQ(take(*opened(), "a", clock, true), Taken::used);
  clock.advance(kLittle);
  EXPECT_EQ(take(*opened(), "a", clock, true), Taken::fresh);
}

TEST_F(LastingNonces, leave_the_others_out_of_the_file) {
  auto first = opened();
  EXPECT_EQ(take(*first, "a", clock), Taken::fresh);
  EXPECT_EQ(take(*first, "b", clock, true), Taken::fresh);
  auto second = opened();
  EXPECT_EQ(take(*second, "a", clock), Taken::fresh);
  EXPECT_EQ(take(*second, "b", clock), Taken::used);
}

TEST_F(LastingNonces, fill_no_disk_however_many_there_were) {
  auto nonces = opened();
  for (int i = 0; i < 50'000; ++i) {
    ASSERT_EQ(take(*nonces, "nonce-" + std::to_string(i), clock, true), Taken::fresh);
    clock.advance(Duration{kUsPerSecond});
  }
  EXPECT_LT(std::filesystem::file_size(file), 1'000'000U);
  auto next = opened();
  EXPECT_EQ(take(*next, "nonce-49999", clock, true), Taken::used);
  EXPECT_EQ(take(*next, "nonce-49500", clock, true), Taken::used);
}

TEST_F(LastingNonces, are_taken_again_once_they_can_be_written_again) {
  const auto folder = file + ".d";
  std::filesystem::create_directory(folder);
  LocalNonces nonces(clock, kLifetime, 10);
  nonces.keepIn(folder + "/nonces");
  EXPECT_EQ(take(nonces, "a", clock, true), Taken::fresh);
  std::filesystem::remove_all(folder);
  EXPECT_THROW(nonces.keepIn(folder + "/nonces"), std::runtime_error);
  EXPECT_EQ(take(nonces, "b", clock, true), Taken::full);
  std::filesystem::create_directory(folder);
  EXPECT_EQ(take(nonces, "b", clock, true), Taken::fresh);
  LocalNonces next(clock, kLifetime, 10);
  next.keepIn(folder + "/nonces");
  EXPECT_EQ(take(next, "a", clock, true), Taken::used);
  EXPECT_EQ(take(next, "b", clock, true), Taken::used);
  std::filesystem::remove_all(folder);
}

TEST_F(LastingNonces, are_refused_when_they_cannot_be_written) {
  LocalNonces nonces(clock, kLifetime, 10);
  EXPECT_THROW(nonces.keepIn("/nowhere/nonces"), std::runtime_error);
  EXPECT_EQ(take(nonces, "a", clock, true), Taken::full);
  EXPECT_EQ(take(nonces, "b", clock), Taken::fresh);
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
          if (take(nonces, std::to_string(round), clock) == Taken::fresh) ++fresh[round];
        }
      });
    }
  }
  for (int round = 0; round < kRounds; ++round) EXPECT_EQ(fresh[round], 1) << round;
}

}  // namespace
}  // namespace tipflow
