#include "console/alert_rules.h"

#include <gmock/gmock.h>

namespace tipflow::console {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;

constexpr Time kNow{1'770'000'000'000'000};
constexpr Time kBefore{1'769'999'990'000'000};
constexpr Duration kSecond{kUsPerSecond};
constexpr Duration kGone = 600 * kSecond;

Condition condition(const char* rule, ConditionState state) {
  return {rule, "node-a", Severity::warning, state, "seen", kBefore};
}
store::OpenAlert open(std::int64_t id, const char* rule, const char* subject = "node-a",
                      const char* node = "node-a") {
  return {id, rule, subject, node, Severity::warning, kNow};
}
AlertChanges changes(std::vector<Condition> conditions, const std::vector<store::OpenAlert>& open,
                     const Attention::Bounds& bounds = {}) {
  return changesOf({"node-a", kNow, std::move(conditions)}, open, bounds);
}

TEST(AlertRules, raise_what_is_raised_and_not_open_yet) {
  const auto done =
      changes({condition("a", ConditionState::raised), condition("b", ConditionState::raised)},
              {open(1, "b"), open(2, "a", "node-b", "node-b")});
  EXPECT_THAT(done.raise, ElementsAre(Field(&Condition::rule, "a")));
  EXPECT_THAT(done.resolve, IsEmpty());
}

TEST(AlertRules, resolve_what_is_over_when_it_was) {
  const auto done = changes({condition("a", ConditionState::over)}, {open(1, "a")});
  EXPECT_THAT(done.raise, IsEmpty());
  EXPECT_THAT(done.resolve, ElementsAre(AlertChanges::Over{1, kBefore, AlertChanges::Why::ended}));
}

TEST(AlertRules, leave_an_open_alert_of_a_node_that_is_not_sure_yet) {
  const auto done = changes({condition("a", ConditionState::settling)}, {open(1, "a")});
  EXPECT_THAT(done.raise, IsEmpty());
  EXPECT_THAT(done.resolve, IsEmpty());
}

TEST(AlertRules, end_what_a_node_watches_no_longer) {
  EXPECT_THAT(changes({}, {open(1, "a")}).resolve,
              ElementsAre(AlertChanges::Over{1, kNow, AlertChanges::Why::unwatched}));
}

TEST(AlertRules, leave_the_alerts_of_other_nodes_alone) {
  EXPECT_THAT(changes({}, {open(1, "a", "node-b", "node-b")}).resolve, IsEmpty());
}

TEST(AlertRules, end_those_of_a_node_that_is_gone) {
  auto silent = open(1, "a", "node-b", "node-b");
  silent.heardAt = kNow - kGone - kSecond;
  const auto others = open(2, "a", "node-c", "node-c");
  EXPECT_THAT(changes({}, {silent, others}, {kNow, kNow - kGone}).resolve,
              ElementsAre(AlertChanges::Over{1, kNow, AlertChanges::Why::gone}));
}

TEST(AlertRules, note_a_node_with_open_alerts_once_in_a_while) {
  const std::vector still{condition("a", ConditionState::raised)};
  EXPECT_TRUE(changes(still, {open(1, "a")}, {kNow + kSecond, {}}).note);
  EXPECT_FALSE(changes(still, {open(1, "a")}, {kNow, {}}).note);
  EXPECT_FALSE(changes({}, {}, {kNow + kSecond, {}}).note);
  EXPECT_FALSE(changes(still, {open(1, "a", "node-b", "node-b")}, {kNow + kSecond, {}}).note);
}

TEST(Attention, knows_who_is_gone_only_after_it_has_listened_for_as_long) {
  Attention attention(kGone);
  for (int second = 0; second < 600; second += 5) {
    EXPECT_EQ(attention.taken(kNow + second * kSecond).gone, std::nullopt);
  }
  EXPECT_EQ(attention.taken(kNow + kGone).gone, kNow);
}

TEST(Attention, begins_anew_when_it_took_nothing_or_its_clock_was_set) {
  for (const auto jump : {Duration{400 * kSecond}, Duration{-1 * kSecond}}) {
    Attention attention(kGone);
    Time now = kNow;
    for (; now < kNow + 2 * kGone; now = now + 5 * kSecond) attention.taken(now);
    ASSERT_NE(attention.taken(now).gone, std::nullopt);
    EXPECT_EQ(attention.taken(now + jump).gone, std::nullopt);
  }
}

}  // namespace
}  // namespace tipflow::console
