// Rounds of tags' association on both databases: what they leave equals a count of everything by
// other code, however the rounds were cut, stopped, or met by new behaviour.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <drogon/utils/coroutine.h>

#include <set>

#include "analysis/association_round.h"
#include "analysis/tag_service.h"
#include "analysis/watching.h"
#include "base/random.h"
#include "store/database.h"

namespace tipflow::analysis {
namespace {

using fixture::number;
using fixture::rows;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::int64_t kRoomsAbove = 1'000'000;
constexpr LaneId kLane{3};

/// Anchors whose rooms have tags, as a test wants them; room = anchor + 1,000,000.
class FakeAnchors final : public anchor::AnchorClient {
 public:
  std::map<AnchorId, std::vector<std::string>> tags;
  std::map<AnchorId, anchor::RoomState> states;
  std::set<std::pair<RoomId, ViewerId>> kicked;

  [[nodiscard]] std::optional<anchor::RoomCard> room(RoomId id) const override {
    const AnchorId owner{id.value - kRoomsAbove};
    if (!tags.contains(owner)) return std::nullopt;
    const auto state = states.find(owner);
    return anchor::RoomCard{id, owner, Gender::unknown,
                            state == states.end() ? anchor::RoomState::live : state->second,
                            SessionId{1}};
  }
  [[nodiscard]] std::optional<anchor::AnchorCard> anchor(AnchorId id) const override {
    if (!tags.contains(id)) return std::nullopt;
    return anchor::AnchorCard{id, "anchor " + std::to_string(id.value), Gender::unknown,
                              RoomId{id.value + kRoomsAbove}};
  }
  [[nodiscard]] std::vector<anchor::RoomCard> liveRooms() const override {
    std::vector<anchor::RoomCard> live;
    for (const auto& [id, _] : tags) {
      const auto card = room(RoomId{id.value + kRoomsAbove});
      if (card->state == anchor::RoomState::live) live.push_back(*card);
    }
    return live;
  }
  [[nodiscard]] std::optional<Time> kickedUntil(RoomId room, ViewerId viewer) const override {
    return kicked.contains({room, viewer}) ? std::optional(Time{kIdEnd}) : std::nullopt;
  }
  [[nodiscard]] std::optional<Time> mutedUntil(RoomId, ViewerId) const override {
    return std::nullopt;
  }
  [[nodiscard]] std::vector<std::string> roomTags(RoomId room) const override {
    const auto found = tags.find(AnchorId{room.value - kRoomsAbove});
    return found == tags.end() ? std::vector<std::string>{} : found->second;
  }
};

/// Viewers with tags of their own; only what the rounds ask is answered.
class FakeAudience final : public audience::AudienceClient {
 public:
  std::map<ViewerId, std::vector<std::string>> tags;
  bool away = false;
  std::function<void()> whenAsked;

  drogon::Task<std::vector<audience::ViewerFacts>> viewerFacts(
      std::vector<ViewerId> viewers) override {
    if (away) throw db::Unavailable(0, "audience is away");
    if (whenAsked) std::exchange(whenAsked, nullptr)();
    std::vector<audience::ViewerFacts> facts;
    for (const auto viewer : viewers) {
      const auto found = tags.find(viewer);
      if (found == tags.end()) continue;
      audience::ViewerFacts one;
      one.id = viewer;
      one.tags = found->second;
      facts.push_back(std::move(one));
    }
    co_return facts;
  }
  drogon::Task<std::vector<audience::LaneSum>> laneSums(std::map<LaneId, LaneSeq>) override {
    co_return {};
  }
  drogon::Task<audience::TipSum> sessionSum(RoomId, SessionId, Time, Time) override {
    co_return {};
  }
  [[nodiscard]] audience::TipSum liveSum(SessionId) const override { return {}; }
  drogon::Task<audience::SessionBoard> sessionTop(RoomId, SessionId, Time, int, bool) override {
    co_return {};
  }
  drogon::Task<std::vector<audience::TagUse>> tagUse(std::optional<std::string>, std::string,
                                                     int) override {
    co_return {};
  }
};

struct FakeTip {
  std::int64_t viewer = 0;
  std::int64_t anchor = 0;
  std::int64_t daysAgo = 0;
};

class AssociationStore : public ::testing::TestWithParam<fixture::Engine> {
 protected:
  AssociationStore() {
    schedule::store::addJob(*c, {kAssociationJob, "analysis", Duration{kUsPerHour}});
    anchors.tags = {{AnchorId{1}, {"guitar", "folk"}},
                    {AnchorId{2}, {"guitar"}},
                    {AnchorId{3}, {"games"}},
                    {AnchorId{4}, {"folk", "games"}}};
  }

  /// Settled tips, as finance leaves them: the ledger's rows and the lane's cursor.
  void settle(const std::vector<FakeTip>& tips, LaneId lane = kLane) {
    auto& seq = seqs[lane];
    std::vector<db::Param> values;
    for (const auto& tip : tips) {
      ++seq;
      values.insert(values.end(), {tipIdOf(lane, LaneSeq{seq}), tip.anchor, tip.viewer, 100, 5'000,
                                   500'000, 0, 0, now - Duration{tip.daysAgo * kUsPerDay}});
    }
    c->insertRows(
        "INSERT INTO ledger (tip_id, anchor_id, viewer_id, amount, share_bp, anchor_units, "
        "anchor_gender, viewer_gender, accepted_at)",
        9, values, "");
    c->exec("DELETE FROM sync_cursor WHERE lane_id = ?", {lane});
    c->exec("INSERT INTO sync_cursor (lane_id, last_seq, amount) VALUES (?, ?, ?)",
            {lane, seq, 100 * seq});
  }
  void watch(std::int64_t viewer, std::int64_t anchor, std::int64_t seconds) {
    std::vector<Watched> watched{{ViewerId{viewer}, RoomId{anchor + kRoomsAbove}, seconds, now}};
    drogon::sync_wait(keepWatched(pool, &anchors, std::move(watched)));
  }

  /// One run of the job; `stopAfter`: it is told to stop from then on.
  void round(AssociationLimits limits = {}, bool stopped = false) {
    schedule::store::ask(*c, kAssociationJob);
    const auto taken =
        schedule::store::take(*c, kAssociationJob, {"node", "process"}, Duration{kUsPerHour});
    ASSERT_TRUE(taken);
    std::atomic<bool> stopping = stopped;
    schedule::Run run(pool, kAssociationJob, *taken, stopping, Duration{kUsPerHour});
    try {
      AssociationRound(&anchors, &audience, limits).run(run);
    } catch (...) {
      schedule::store::finish(*c, kAssociationJob, *taken, {schedule::RunOutcome::failed, 0, ""});
      throw;
    }
    schedule::store::finish(*c, kAssociationJob, *taken, {schedule::RunOutcome::succeeded, 0, ""});
  }

  /// What the published sums are, and what they must be by the raw rows and the tags as they are.
  std::vector<std::string> counted() {
    const auto of = std::to_string(tagstore::publishedGeneration(*c)->number);
    auto all = rows(*c, {"tag", "weight", "viewers"},
                    "association_tag WHERE generation = " + of + " AND weight <> 0 ORDER BY tag");
    const auto pairs = rows(
        *c, {"tag_a", "tag_b", "weight", "viewers"},
        "association_pair WHERE generation = " + of + " AND weight <> 0 ORDER BY tag_a, tag_b");
    all.insert(all.end(), pairs.begin(), pairs.end());
    return all;
  }
  std::vector<std::string> expected() {
    std::map<std::pair<std::int64_t, std::int64_t>, RoomActivity> activity;
    c->query("SELECT viewer_id, anchor_id, accepted_at FROM ledger", {}, [&](const db::Row& row) {
      auto& one = activity[{row.integer(0), row.integer(1)}];
      ++one.tips;
      one.lastAt = std::max(one.lastAt, row.time(2));
    });
    c->query("SELECT viewer_id, anchor_id, watched_seconds, last_at FROM viewer_activity", {},
             [&](const db::Row& row) {
               auto& one = activity[{row.integer(0), row.integer(1)}];
               one.watchedSeconds = row.integer(2);
               one.lastAt = std::max(one.lastAt, row.time(3));
             });
    std::map<std::int64_t, std::vector<RoomActivity>> byViewer;
    for (auto& [key, one] : activity) {
      one.tags = anchors.roomTags(RoomId{key.second + kRoomsAbove});
      byViewer[key.first].push_back(one);
    }
    TagSums sums;
    for (const auto& [viewer, did] : byViewer) {
      sums.add(weightsOf(did, audience.tags[ViewerId{viewer}],
                         tagstore::publishedGeneration(*c)->baseDay));
    }
    std::vector<std::string> all;
    for (const auto& [tag, sum] : sums.tags()) {
      all.push_back(fmt::format("{}|{}|{}", tag, sum.weight, sum.viewers));
    }
    for (const auto& [pair, sum] : sums.pairs()) {
      all.push_back(fmt::format("{}|{}|{}|{}", pair.first, pair.second, sum.weight, sum.viewers));
    }
    return all;
  }

  fixture::TestDatabase database{GetParam(), "db2"};
  std::unique_ptr<db::Connection> c = database.connect();
  db::Database pool{"db2", database.url(), {.threads = 2}};
  FakeAnchors anchors;
  FakeAudience audience;
  SystemClock clock;
  Time now = c->now();
  std::map<LaneId, std::int64_t> seqs;
};
TIPFLOW_ON_BOTH(AssociationStore);

TEST_P(AssociationStore, counts_what_was_tipped_and_watched_and_what_viewers_carry) {
  audience.tags[ViewerId{7}] = {"quiet"};
  settle({{7, 1}, {7, 1}, {7, 1}, {8, 2}});
  watch(8, 3, 30);
  watch(9, 3, 29);
  round();
  EXPECT_THAT(counted(), ElementsAre("folk|3072|1", "games|1024|1", "guitar|5120|2", "quiet|1024|1",
                                     "folk|guitar|3072|1", "folk|quiet|1024|1",
                                     "games|guitar|1024|1", "guitar|quiet|1024|1"));
  EXPECT_EQ(counted(), expected());
}

TEST_P(AssociationStore, is_the_same_however_tips_come_and_rounds_are_cut) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    SeededRandom random(seed);
    const AssociationLimits limits{.tipsAtOnce = static_cast<std::int64_t>(1 + random.below(20)),
                                   .viewersAtOnce = static_cast<int>(1 + random.below(5))};
    for (int i = 0; i < 12; ++i) {
      std::vector<FakeTip> tips;
      for (std::uint64_t n = random.below(12); n > 0; --n) {
        tips.push_back({static_cast<std::int64_t>(1 + random.below(15)),
                        static_cast<std::int64_t>(1 + random.below(5)),
                        static_cast<std::int64_t>(random.below(90))});
      }
      if (!tips.empty()) settle(tips, LaneId{static_cast<std::int64_t>(1 + random.below(3))});
      const auto viewer = static_cast<std::int64_t>(1 + random.below(15));
      watch(viewer, static_cast<std::int64_t>(1 + random.below(4)), 20);
      if (random.below(2) == 0) {
        audience.tags[ViewerId{viewer}] = {"own" + std::to_string(random.below(3))};
      }
      if (random.below(3) == 0) round(limits);
    }
    round(limits);
    EXPECT_EQ(counted(), expected()) << "seed " << seed;
    EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM association_dirty"), 0);
  }
}

TEST_P(AssociationStore, a_second_round_without_news_changes_nothing) {
  settle({{7, 1}, {8, 2}});
  round();
  const std::vector<std::string> tables{"viewer_activity", "association_viewer", "association_tag",
                                        "association_pair", "association_progress"};
  const auto before = fixture::dump(*c, tables);
  round();
  EXPECT_EQ(fixture::dump(*c, tables), before);
}

TEST_P(AssociationStore, viewers_of_a_room_whose_tags_change_are_counted_again) {
  settle({{7, 1}, {8, 2}, {9, 3}});
  round();
  anchors.tags[AnchorId{2}] = {"piano", "games"};
  round();
  EXPECT_EQ(counted(), expected());
  EXPECT_THAT(counted(), Contains("piano|2048|1"));
}

TEST_P(AssociationStore, a_room_that_is_not_known_yet_counts_as_soon_as_it_is) {
  settle({{7, 50}});
  round();
  EXPECT_THAT(counted(), IsEmpty());
  anchors.tags[AnchorId{50}] = {"new"};
  round();
  EXPECT_THAT(counted(), ElementsAre("new|2048|1"));
}

TEST_P(AssociationStore, a_room_that_is_not_known_any_more_keeps_its_tags) {
  settle({{7, 2}});
  round();
  anchors.tags.erase(AnchorId{2});
  settle({{7, 3}});
  round();
  EXPECT_THAT(counted(), Contains("guitar|2048|1"));
}

TEST_P(AssociationStore, while_audience_is_away_nothing_is_lost) {
  audience.tags[ViewerId{7}] = {"quiet"};
  settle({{7, 1}});
  audience.away = true;
  EXPECT_THROW(round(), db::Unavailable);
  EXPECT_THAT(counted(), IsEmpty());
  EXPECT_FALSE(tagstore::publishedGeneration(*c)->asOf > Time{});
  audience.away = false;
  round();
  EXPECT_EQ(counted(), expected());
  EXPECT_GE(tagstore::publishedGeneration(*c)->asOf, now - Duration{2 * kUsPerSecond});
}

TEST_P(AssociationStore, a_viewer_who_goes_on_while_it_is_counted_is_counted_again) {
  settle({{7, 1}});
  audience.tags[ViewerId{7}] = {"quiet"};
  audience.whenAsked = [&] { watch(7, 3, 60); };
  round();
  round();
  EXPECT_EQ(counted(), expected());
  EXPECT_THAT(counted(), Contains("games|1024|1"));
}

TEST_P(AssociationStore, a_round_that_is_stopped_is_gone_on_with) {
  settle({{7, 1}, {8, 2}, {9, 3}, {10, 4}});
  round({}, true);
  EXPECT_THAT(counted(), IsEmpty());
  EXPECT_EQ(tagstore::publishedGeneration(*c)->asOf, Time{});
  round();
  EXPECT_EQ(counted(), expected());
}

TEST_P(AssociationStore, a_node_that_lost_the_job_writes_nothing) {
  settle({{7, 1}});
  schedule::store::ask(*c, kAssociationJob);
  const auto old = schedule::store::take(*c, kAssociationJob, {"a", "a"}, Duration{1});
  ASSERT_TRUE(old);
  ASSERT_TRUE(fixture::eventually([&] {
    return schedule::store::take(*c, kAssociationJob, {"b", "b"}, Duration{kUsPerHour}).has_value();
  }));
  const std::atomic<bool> stopping = false;
  schedule::Run run(pool, kAssociationJob, *old, stopping, Duration{kUsPerHour});
  EXPECT_THROW(AssociationRound(&anchors, &audience).run(run), schedule::LeaseLost);
  EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM viewer_activity"), 0);
  EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM association_generation"), 0);
}

TEST_P(AssociationStore, new_rules_count_everybody_again_beside_what_is_published) {
  audience.tags[ViewerId{7}] = {"quiet"};
  settle({{7, 1}, {8, 2}, {9, 3}, {9, 1}});
  round();
  const auto before = counted();
  // As if the sums were of other rules: whatever stands there is replaced.
  c->exec("UPDATE association_tag SET weight = weight + 5");
  AssociationLimits limits{.viewersAtOnce = 1};
  limits.rules = 2;
  round(limits);
  EXPECT_EQ(counted(), before);
  EXPECT_EQ(tagstore::publishedGeneration(*c)->number, 2);
  EXPECT_THAT(rows(*c, {"DISTINCT generation"}, "association_viewer"), ElementsAre("2"));
  EXPECT_THAT(rows(*c, {"generation"}, "association_generation"), ElementsAre("2"));
}

TEST_P(AssociationStore, a_base_day_of_long_ago_is_replaced_without_changing_what_goes_together) {
  settle({{7, 1}, {7, 3}, {8, 2}, {9, 3, 20}, {9, 1, 35}});
  round();
  c->exec("UPDATE association_generation SET base_day = base_day - 361");
  round();
  EXPECT_EQ(tagstore::publishedGeneration(*c)->number, 2);
  EXPECT_EQ(counted(), expected());
}

TEST_P(AssociationStore, watching_adds_up_and_what_makes_no_sense_is_left_out) {
  watch(7, 1, 20);
  watch(7, 1, 20);
  watch(7, 1, 0);
  watch(7, 1, -5);
  watch(7, 99, 60);
  watch(8, 1, 10'000'000);
  EXPECT_THAT(rows(*c, {"viewer_id", "anchor_id", "tips", "watched_seconds"},
                   "viewer_activity ORDER BY viewer_id"),
              ElementsAre("7|1|0|40", "8|1|0|86400"));
}

TEST_P(AssociationStore, two_nodes_that_tell_of_the_same_viewers_at_once_lose_nothing) {
  fixture::atOnce(4, [&](int node) {
    for (int i = 0; i < 10; ++i) {
      std::vector<Watched> watched;
      for (int viewer = 0; viewer < 20; ++viewer) {
        const int one = node % 2 == 0 ? viewer : 19 - viewer;
        watched.push_back({ViewerId{1 + one}, RoomId{1 + kRoomsAbove}, 1, now});
      }
      drogon::sync_wait(keepWatched(pool, &anchors, std::move(watched)));
    }
  });
  EXPECT_THAT(
      rows(*c, {"COUNT(*)", "MIN(watched_seconds)", "MAX(watched_seconds)"}, "viewer_activity"),
      ElementsAre("20|40|40"));
}

// What is asked ---------------------------------------------------------------------------------

TEST_P(AssociationStore, answers_related_tags_the_same_in_both_directions) {
  for (std::int64_t viewer = 1; viewer <= 20; ++viewer) settle({{viewer, 1}});
  settle({{21, 4}, {22, 3}, {23, 3}});
  TagService service(pool, clock, &anchors, &audience);
  EXPECT_EQ(drogon::sync_wait(service.related("guitar", 10)).asOf, std::nullopt);
  round();
  const auto guitar = drogon::sync_wait(service.related("guitar", 10));
  const auto folk = drogon::sync_wait(service.related("folk", 1));
  ASSERT_THAT(guitar.items, SizeIs(1));
  EXPECT_EQ(guitar.items[0].tag, "folk");
  EXPECT_EQ(guitar.items[0].viewers, 20);
  EXPECT_EQ(guitar.viewers, 20);
  ASSERT_THAT(folk.items, SizeIs(1));
  EXPECT_EQ(folk.items[0].tag, "guitar");
  EXPECT_EQ(folk.items[0].association, guitar.items[0].association);
  EXPECT_TRUE(guitar.asOf);
  EXPECT_THAT(drogon::sync_wait(service.related("nobody's", 10)).items, IsEmpty());
}

TEST_P(AssociationStore, answers_a_matrix_that_is_symmetric_with_ones_on_its_diagonal) {
  settle({{1, 1}, {2, 1}, {3, 4}, {4, 3}, {4, 2}});
  round();
  const auto matrix = drogon::sync_wait(TagService(pool, clock, &anchors, &audience).matrix(10));
  ASSERT_THAT(matrix.tags, SizeIs(3));
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(matrix.associations[i][i], 1);
    for (std::size_t j = 0; j < 3; ++j) {
      EXPECT_EQ(matrix.associations[i][j], matrix.associations[j][i]);
      EXPECT_GT(matrix.associations[i][j], 0);
      EXPECT_LE(matrix.associations[i][j], 1);
    }
  }
}

TEST_P(AssociationStore, recommends_live_rooms_of_what_goes_with_a_viewers_tags) {
  anchors.tags[AnchorId{5}] = {"folk"};
  anchors.tags[AnchorId{6}] = {"folk"};
  anchors.states[AnchorId{6}] = anchor::RoomState::banned;
  anchors.tags[AnchorId{7}] = {"folk"};
  anchors.kicked.insert({RoomId{7 + kRoomsAbove}, ViewerId{100}});
  audience.tags[ViewerId{100}] = {"guitar"};
  for (std::int64_t viewer = 1; viewer <= 20; ++viewer) settle({{viewer, 1}, {viewer + 50, 3}});
  round();
  TagService service(pool, clock, &anchors, &audience);
  const auto found = drogon::sync_wait(service.recommended(ViewerId{100}, 10));
  ASSERT_TRUE(found);
  EXPECT_THAT(found->tags, ElementsAre("guitar"));
  std::vector<std::int64_t> order;
  for (const auto& room : found->items) order.push_back(room.anchorId.value);
  ASSERT_THAT(order, SizeIs(5));
  EXPECT_EQ(order[0], 2);
  EXPECT_THAT(order, ::testing::Not(Contains(6)));
  EXPECT_THAT(order, ::testing::Not(Contains(7)));
  const auto& folk = *std::find_if(found->items.begin(), found->items.end(),
                                   [](const auto& room) { return room.anchorId == AnchorId{5}; });
  ASSERT_THAT(folk.because, SizeIs(1));
  EXPECT_EQ(folk.because[0].viewerTag, "guitar");
  EXPECT_EQ(folk.because[0].roomTag, "folk");

  const auto nobody = drogon::sync_wait(service.recommended(ViewerId{999}, 10));
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, ErrorCode::viewer_not_found);
  audience.away = true;
  EXPECT_TRUE(drogon::sync_wait(service.recommended(ViewerId{1}, 10)));
  TagService alone(pool, clock, nullptr, &audience);
  EXPECT_EQ(drogon::sync_wait(alone.recommended(ViewerId{1}, 10)).error().code,
            ErrorCode::role_unavailable);
}

}  // namespace
}  // namespace tipflow::analysis
