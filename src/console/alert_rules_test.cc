#include "console/alert_rules.h"

#include <gmock/gmock.h>

namespace tipflow::console {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;

constexpr Time kNow{1'770'000'000'000'000};
constexpr Time kBefore{1'769'999'990'000'000};

Condition condition(const char* rule, ConditionState state) {
  return {rule, "node-a", Severity::warning, state, "seen", kBefore};
}
store::OpenAlert open(std::int64_t id, const char* rule, const char* subject = "node-a",
                      const char* node = "node-a") {
  return {id, rule, subject, node, Severity::warning};
}
AlertChanges changes(std::vector<Condition> conditions, const std::vector<store::OpenAlert>& open) {
  return changesOf({"node-a", kNow, std::move(conditions)}, open);
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
  EXPECT_THAT(done.resolve, ElementsAre(AlertChanges::Over{1, kBefore, true}));
}

TEST(AlertRules, leave_an_open_alert_of_a_node_that_is_not_sure_yet) {
  const auto done = changes({condition("a", ConditionState::settling)}, {open(1, "a")});
  EXPECT_THAT(done.raise, IsEmpty());
  EXPECT_THAT(done.resolve, IsEmpty());
}

TEST(AlertRules, end_what_a_node_watches_no_longer) {
  EXPECT_THAT(changes({}, {open(1, "a")}).resolve, ElementsAre(AlertChanges::Over{1, kNow, false}));
}

TEST(AlertRules, leave_the_alerts_of_other_nodes_alone) {
  EXPECT_THAT(changes({}, {open(1, "a", "node-b", "node-b")}).resolve, IsEmpty());
}

}  // namespace
}  // namespace tipflow::console
