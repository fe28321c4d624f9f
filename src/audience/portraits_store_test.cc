// Portraits as viewers get them, on both databases: from analysis while it answers, else the last
// that is known and said to be so, else an honest refusal.
#include "audience/portraits.h"

#include <gmock/gmock.h>
#include <trantor/net/EventLoopThread.h>

#include <future>

#include "audience/viewer_store.h"
#include "store/database.h"

namespace tipflow::audience {
namespace {

using ::testing::ElementsAre;

/// Answers, fails or stays silent, as it is told.
class FakeAnalysis final : public analysis::AnalysisClient {
 public:
  enum class Mood { answers, fails, silent };

  drogon::Task<std::optional<analysis::Portrait>> portrait(ViewerId viewer) override {
    if (mood == Mood::fails) throw db::Unavailable(0, "analysis is away");
    if (mood == Mood::silent) {
      ++asleep;
      co_await drogon::sleepCoro(trantor::EventLoop::getEventLoopOfCurrentThread(), 0.3);
      --asleep;
    }
    auto answer = told;
    if (answer) answer->viewerId = viewer;
    co_return answer;
  }
  drogon::Task<std::map<ViewerId, Tier>> tiers(std::vector<ViewerId>) override { co_return {}; }
  drogon::Task<std::optional<Time>> countedBy(TipId) override { co_return std::nullopt; }
  drogon::Task<> noteWatched(std::vector<analysis::Watched>) override { co_return; }
  drogon::Task<std::int64_t> disagreement() override { co_return 0; }

  Mood mood = Mood::answers;
  std::atomic<int> asleep{0};
  std::optional<analysis::Portrait> told;
};

class PortraitStore : public ::testing::TestWithParam<fixture::Engine> {
 protected:
  void SetUp() override {
    loop.run();
    store::NewViewer viewer;
    viewer.kind = ViewerKind::registered;
    viewer.name = "小鹿";
    viewer.passwordHash = "x";
    viewer.tags = {"音乐", "吉他"};
    id = db::transact(*database.connect(),
                      [&](db::Connection& c) { return store::insertViewer(c, viewer); });
    analysis.told = analysis::Portrait{id, Fen{500}, 3, 2, 8, Tier::high, 42, Time{7'000'000}};
  }

  // An answer that comes too late still comes.
  void TearDown() override {
    EXPECT_TRUE(fixture::eventually([&] { return analysis.asleep == 0; }));
  }

  Result<Portraits::Answer> ask(ViewerId viewer, bool chinese = false) {
    std::promise<Result<Portraits::Answer>> answer;
    loop.getLoop()->queueInLoop([&] {
      drogon::async_run([&, viewer, chinese]() -> drogon::Task<> {
        answer.set_value(co_await portraits.portrait(viewer, chinese));
      });
    });
    return answer.get_future().get();
  }

  fixture::TestDatabase database{GetParam(), "db1"};
  db::Database db1{"DB1", database.url(), {1}};
  SystemClock clock;
  LocalCache cache{clock, 100};
  FakeAnalysis analysis;
  Portraits portraits{db1, &analysis, cache, Duration{20 * kUsPerMs}};
  trantor::EventLoopThread loop;
  ViewerId id;
};
TIPFLOW_ON_BOTH(PortraitStore);

TEST_P(PortraitStore, is_analysis_word_with_the_viewers_own_name_and_tags) {
  const auto found = ask(id, true);
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->stale);
  const auto& portrait = found->portrait;
  EXPECT_EQ(portrait.name, "小鹿");
  EXPECT_THAT(portrait.tags, ElementsAre("音乐", "吉他"));
  EXPECT_EQ(portrait.total, Fen{500});
  EXPECT_EQ(portrait.rank, 2);
  EXPECT_EQ(portrait.topFraction, 0.125);
  EXPECT_EQ(portrait.tier, Tier::high);
  EXPECT_EQ(portrait.round, 42);
  EXPECT_EQ(portrait.description, analysis::description(Tier::high, true));
}

TEST_P(PortraitStore, is_the_last_known_one_and_says_so_while_analysis_fails_or_is_silent) {
  ASSERT_TRUE(ask(id));
  for (const auto mood : {FakeAnalysis::Mood::fails, FakeAnalysis::Mood::silent}) {
    analysis.mood = mood;
    const auto found = ask(id);
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->stale);
    EXPECT_EQ(found->portrait.total, Fen{500});
    EXPECT_EQ(found->portrait.rank, 2);
    EXPECT_EQ(found->portrait.updatedAt, Time{7'000'000});
    EXPECT_EQ(found->portrait.name, "小鹿");
  }
  analysis.mood = FakeAnalysis::Mood::answers;
  EXPECT_FALSE(ask(id)->stale);
}

TEST_P(PortraitStore, is_refused_when_nothing_is_known_rather_than_made_up) {
  analysis.mood = FakeAnalysis::Mood::fails;
  EXPECT_EQ(ask(id).error().code, ErrorCode::portrait_unavailable);
  Portraits alone(db1, nullptr, cache);
  EXPECT_EQ(drogon::sync_wait(alone.portrait(id, false)).error().code,
            ErrorCode::portrait_unavailable);
}

TEST_P(PortraitStore, of_who_never_tipped_and_before_any_round_has_no_rank) {
  analysis.told = analysis::Portrait{id, {}, 0, 0, 8, Tier::none, 42, Time{7'000'000}};
  auto found = ask(id);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->portrait.tier, Tier::none);
  EXPECT_FALSE(found->portrait.rank);
  EXPECT_FALSE(found->portrait.topFraction);
  EXPECT_EQ(found->portrait.round, 42);
  analysis.told = std::nullopt;
  found = ask(id);
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->portrait.round);
}

TEST_P(PortraitStore, of_nobody_is_not_found_whatever_analysis_says) {
  EXPECT_EQ(ask(ViewerId{999'999}).error().code, ErrorCode::viewer_not_found);
  analysis.mood = FakeAnalysis::Mood::fails;
  EXPECT_EQ(ask(ViewerId{999'999}).error().code, ErrorCode::viewer_not_found);
}

TEST(KeptPortraits, come_back_as_they_were_and_nothing_else_does) {
  const analysis::Portrait portrait{ViewerId{7}, Fen{500}, 3, 2, 8, Tier::middle, 42, Time{9}};
  const auto text = encodePortrait(portrait);
  const auto back = decodePortrait(text);
  ASSERT_TRUE(back);
  EXPECT_EQ(encodePortrait(*back), text);
  for (const auto* wrong : {"", "7", "7 500 3 2 8 2 42", "7 500 3 2 8 2 42 9 1",
                            "7 500 3 2 8 9 42 9", "7 500 3 9 8 2 42 9", "a b c d e f g h"}) {
    EXPECT_FALSE(decodePortrait(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace tipflow::audience
