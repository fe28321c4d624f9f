#include "analysis/association.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/random.h"

namespace tipflow::analysis {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::int64_t kBase = 20'000;
constexpr std::int64_t kOneViewer = 1'024;
constexpr int kSeeds = 20;

Time onDay(std::int64_t day) { return Time{day * kUsPerDay + kUsPerHour}; }

RoomActivity tipped(std::vector<std::string> tags, std::int64_t tips, std::int64_t day = kBase) {
  return {std::move(tags), tips, 0, onDay(day)};
}
RoomActivity watched(std::vector<std::string> tags, std::int64_t seconds,
                     std::int64_t day = kBase) {
  return {std::move(tags), 0, seconds, onDay(day)};
}

TEST(TagWeights, are_one_for_who_watched_and_grow_with_the_logarithm_of_tips) {
  EXPECT_THAT(weightsOf({watched({"a"}, 30)}, {}, kBase), ElementsAre(TagWeight{"a", kOneViewer}));
  EXPECT_THAT(weightsOf({tipped({"a"}, 1)}, {}, kBase),
              ElementsAre(TagWeight{"a", 2 * kOneViewer}));
  EXPECT_THAT(weightsOf({tipped({"a"}, 1'023)}, {}, kBase),
              ElementsAre(TagWeight{"a", 11 * kOneViewer}));
}

TEST(TagWeights, of_who_watched_less_than_half_a_minute_and_never_tipped_are_none) {
  EXPECT_THAT(weightsOf({watched({"a"}, 29)}, {"b"}, kBase), IsEmpty());
  EXPECT_THAT(weightsOf({}, {"b"}, kBase), IsEmpty());
}

TEST(TagWeights, take_the_tips_of_all_rooms_of_a_tag_together_and_the_newest_day) {
  const std::vector rooms{tipped({"a", "b"}, 3, kBase), tipped({"a"}, 4, kBase + 30)};
  EXPECT_THAT(weightsOf(rooms, {}, kBase),
              ElementsAre(TagWeight{"a", 2 * 4 * kOneViewer}, TagWeight{"b", 3 * kOneViewer}));
}

TEST(TagWeights, count_a_tag_that_a_viewer_carries_as_of_its_last_activity) {
  EXPECT_THAT(weightsOf({tipped({"a"}, 1, kBase + 30)}, {"z", "a"}, kBase),
              ElementsAre(TagWeight{"a", 4 * kOneViewer}, TagWeight{"z", 2 * kOneViewer}));
}

TEST(TagWeights, halve_with_each_thirty_days_of_age_until_nothing_is_left) {
  for (int halfLives = 0; halfLives <= 10; ++halfLives) {
    EXPECT_THAT(weightsOf({watched({"a"}, 60, kBase - 30 * halfLives)}, {}, kBase),
                ElementsAre(TagWeight{"a", kOneViewer >> halfLives}));
  }
  EXPECT_THAT(weightsOf({watched({"a"}, 60, kBase - 30 * 12)}, {}, kBase), IsEmpty());
}

TEST(TagWeights, keep_the_twenty_heaviest_and_of_equals_the_first_by_name) {
  std::vector<RoomActivity> rooms;
  for (char c = 'a'; c <= 'z'; ++c) rooms.push_back(watched({std::string(1, c)}, 60));
  rooms.push_back(tipped({"zz"}, 1));
  const auto weights = weightsOf(rooms, {}, kBase);
  ASSERT_THAT(weights, SizeIs(kTagsMost));
  EXPECT_EQ(weights.front().tag, "a");
  EXPECT_EQ(weights[kTagsMost - 2].tag, "s");
  EXPECT_EQ(weights.back().tag, "zz");
}

TEST(TagWeights, do_not_overflow_whatever_is_counted) {
  const auto weights = weightsOf({{{"a"},
                                   std::numeric_limits<std::int64_t>::max(),
                                   0,
                                   Time{std::int64_t{9'000'000} * kUsPerDay}}},
                                 {}, kBase);
  ASSERT_THAT(weights, SizeIs(1));
  // A million such viewers still fit.
  EXPECT_LT(weights[0].weight, std::numeric_limits<std::int64_t>::max() / 1'000'000);
}

TEST(TagWeights, are_read_back_as_they_were_written) {
  const TagWeights weights{{"two words", 17}, {"音乐", 123'456'789'012}};
  EXPECT_EQ(decodeWeights(encode(weights)), weights);
  EXPECT_THAT(decodeWeights(""), IsEmpty());
  const std::vector<std::string> tags{"b", "a c"};
  EXPECT_EQ(decodeTags(encode(tags)), tags);
  for (const auto* broken : {"1 a", "a\n", "1\n", "1a\n"}) {
    EXPECT_THROW(decodeWeights(broken), std::invalid_argument) << broken;
  }
}

TEST(Days, begin_at_midnight_also_before_1970) {
  EXPECT_EQ(dayOf(Time{0}), 0);
  EXPECT_EQ(dayOf(Time{kUsPerDay - 1}), 0);
  EXPECT_EQ(dayOf(Time{-1}), -1);
  EXPECT_EQ(dayOf(Time{-kUsPerDay}), -1);
}

TEST(Association, is_what_two_tags_share_and_less_for_few_viewers) {
  const auto of = [](std::int64_t viewers) {
    return associationOf({viewers * kOneViewer, viewers}, {viewers * kOneViewer, viewers},
                         {viewers * kOneViewer, viewers});
  };
  EXPECT_DOUBLE_EQ(of(kShrinkageViewers), 0.5);
  EXPECT_DOUBLE_EQ(of(10 * kShrinkageViewers), 10.0 / 11);
  EXPECT_DOUBLE_EQ(associationOf({400, 100}, {100, 25}, {100, 95}), 0.5 * 0.95);
  EXPECT_EQ(associationOf({0, 0}, {100, 1}, {0, 0}), 0);
  EXPECT_EQ(associationOf({}, {}, {}), 0);
}

// Behaviour that a seed makes -------------------------------------------------------------------

/// Something a viewer did once.
struct Event {
  int viewer = 0;
  int room = 0;
  std::int64_t tips = 0;
  std::int64_t seconds = 0;
  Time at;
};

/// What viewers did, all told, as the store keeps it.
class Behaviour {
 public:
  explicit Behaviour(std::vector<std::vector<std::string>> roomTags)
      : roomTags_(std::move(roomTags)) {}

  void add(const Event& event) {
    auto& activity = activity_[event.viewer][event.room];
    activity.tags = roomTags_[static_cast<std::size_t>(event.room)];
    activity.tips += event.tips;
    activity.watchedSeconds += event.seconds;
    activity.lastAt = std::max(activity.lastAt, event.at);
  }
  [[nodiscard]] TagWeights weights(int viewer) const {
    std::vector<RoomActivity> rooms;
    for (const auto& [_, activity] : activity_.at(viewer)) rooms.push_back(activity);
    return weightsOf(rooms, {}, kBase);
  }
  [[nodiscard]] TagSums counted() const {
    TagSums sums;
    for (const auto& [viewer, _] : activity_) sums.add(weights(viewer));
    return sums;
  }

 private:
  std::vector<std::vector<std::string>> roomTags_;
  std::map<int, std::map<int, RoomActivity>> activity_;
};

std::vector<std::vector<std::string>> someRooms(SeededRandom& random) {
  std::vector<std::vector<std::string>> rooms(30);
  for (auto& tags : rooms) {
    std::set<std::string> some;
    while (some.size() < 3) some.insert("t" + std::to_string(random.below(12)));
    tags = {some.begin(), some.end()};
  }
  return rooms;
}

std::vector<Event> someEvents(SeededRandom& random) {
  std::vector<Event> events;
  for (int i = 0; i < 2'000; ++i) {
    const bool tip = random.below(2) == 0;
    events.push_back({static_cast<int>(random.below(60)), static_cast<int>(random.below(30)),
                      tip ? 1 : 0, tip ? 0 : static_cast<std::int64_t>(random.below(40)),
                      onDay(kBase - static_cast<std::int64_t>(random.below(200)))});
  }
  return events;
}

template <class Map>
Map withoutZeros(Map sums) {
  std::erase_if(sums, [](const auto& one) { return one.second == TagSum{}; });
  return sums;
}

TEST(AssociationOfBehaviour, is_the_same_in_both_directions_and_within_0_and_1) {
  for (int seed = 1; seed <= kSeeds; ++seed) {
    SeededRandom random(static_cast<std::uint64_t>(seed));
    Behaviour behaviour(someRooms(random));
    for (const auto& event : someEvents(random)) behaviour.add(event);
    const auto sums = behaviour.counted();
    ASSERT_FALSE(sums.pairs().empty());
    for (const auto& [pair, both] : sums.pairs()) {
      const auto a = sums.tags().at(pair.first);
      const auto b = sums.tags().at(pair.second);
      const double score = associationOf(a, b, both);
      EXPECT_GT(score, 0) << "seed " << seed;
      EXPECT_LE(score, 1) << "seed " << seed;
      EXPECT_EQ(score, associationOf(b, a, both)) << "seed " << seed;
      // Why it is: two share no more than each has.
      EXPECT_LE(both.weight, std::min(a.weight, b.weight)) << "seed " << seed;
      EXPECT_LE(both.viewers, std::min(a.viewers, b.viewers)) << "seed " << seed;
    }
  }
}

TEST(AssociationOfBehaviour, does_not_depend_on_the_order_of_events_nor_on_when_they_were_counted) {
  for (int seed = 1; seed <= kSeeds; ++seed) {
    SeededRandom random(static_cast<std::uint64_t>(seed));
    const auto rooms = someRooms(random);
    auto events = someEvents(random);
    Behaviour at_once(rooms);
    for (const auto& event : events) at_once.add(event);
    const auto expected = at_once.counted();

    for (std::size_t i = events.size(); i > 1; --i) {
      std::swap(events[i - 1], events[random.below(i)]);
    }
    Behaviour behaviour(rooms);
    TagSums sums;
    std::map<int, TagWeights> counted;
    std::set<int> changed;
    for (const auto& event : events) {
      behaviour.add(event);
      changed.insert(event.viewer);
      if (random.below(50) != 0 && &event != &events.back()) continue;
      for (const int viewer : changed) {
        sums.remove(counted[viewer]);
        counted[viewer] = behaviour.weights(viewer);
        sums.add(counted[viewer]);
      }
      changed.clear();
    }
    EXPECT_EQ(withoutZeros(sums.tags()), withoutZeros(expected.tags())) << "seed " << seed;
    EXPECT_EQ(withoutZeros(sums.pairs()), withoutZeros(expected.pairs())) << "seed " << seed;
  }
}

/// The pairs of tags, the most associated first.
std::vector<TagPair> ranked(const TagSums& sums) {
  std::vector<std::pair<double, TagPair>> scored;
  for (const auto& [pair, both] : sums.pairs()) {
    scored.emplace_back(
        -associationOf(sums.tags().at(pair.first), sums.tags().at(pair.second), both), pair);
  }
  std::sort(scored.begin(), scored.end());
  std::vector<TagPair> pairs;
  for (auto& [_, pair] : scored) pairs.push_back(std::move(pair));
  return pairs;
}

// Thirty rooms of a tag each; half of the viewers are drawn to the two rooms of one of five pairs,
// of which one is popular and the other is not. All wander, popular rooms more often than others.
TEST(AssociationOfBehaviour, ranks_planted_pairs_on_top) {
  constexpr int kRooms = 30;
  constexpr int kPlanted = 5;
  for (int seed = 1; seed <= kSeeds; ++seed) {
    SeededRandom random(static_cast<std::uint64_t>(seed));
    std::vector<std::vector<std::string>> rooms;
    for (int room = 0; room < kRooms; ++room) {
      rooms.push_back({"tag" + std::to_string(room)});
    }
    std::set<TagPair> planted;
    for (int pair = 0; pair < kPlanted; ++pair) {
      planted.insert(
          pairOf("tag" + std::to_string(pair), "tag" + std::to_string(kRooms - 1 - pair)));
    }
    Behaviour behaviour(rooms);
    const auto visit = [&](int viewer, int room) {
      const auto day = kBase - static_cast<std::int64_t>(random.below(20));
      behaviour.add({viewer, room, static_cast<std::int64_t>(random.below(8)), 60, onDay(day)});
    };
    for (int viewer = 0; viewer < 1'500; ++viewer) {
      if (viewer % 2 == 0) {
        const int pair = viewer / 2 % kPlanted;
        visit(viewer, pair);
        visit(viewer, kRooms - 1 - pair);
      }
      for (int i = 0; i < 3; ++i) {
        const auto most = 1 + random.below(kRooms);
        visit(viewer, static_cast<int>(random.below(most)));
      }
    }
    const auto top = ranked(behaviour.counted());
    ASSERT_GT(top.size(), 100U);
    EXPECT_EQ(std::set<TagPair>(top.begin(), top.begin() + kPlanted), planted) << "seed " << seed;
  }
}

TEST(AssociationOfBehaviour, of_one_pair_of_viewers_is_less_than_of_a_hundred) {
  TagSums few;
  TagSums many;
  for (int i = 0; i < 100; ++i) {
    const TagWeights both{{"a", kOneViewer}, {"b", kOneViewer}};
    if (i < 2) few.add(both);
    many.add(both);
  }
  const auto score = [](const TagSums& sums) {
    return associationOf(sums.tags().at("a"), sums.tags().at("b"), sums.pairs().at({"a", "b"}));
  };
  EXPECT_LT(score(few), 0.5);
  EXPECT_GT(score(many), 0.9);
}

}  // namespace
}  // namespace tipflow::analysis
