// What is worth an alert, and when: thresholds at their edges, and conditions that flicker.
#include "platform/conditions.h"

#include <gmock/gmock.h>

namespace tipflow {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Time kNow{1'770'000'000'000'000};
constexpr Duration kSecond{kUsPerSecond};

Sight quiet() {
  Sight sight;
  sight.at = kNow;
  sight.node = "node-a";
  return sight;
}

/// The finding of one rule; fails when there is none or there are several.
Finding finding(const Sight& sight, const std::string& rule, const AlertLimits& limits = {}) {
  Finding found;
  int count = 0;
  for (auto& one : judge(sight, limits)) {
    if (one.rule != rule) continue;
    found = std::move(one);
    ++count;
  }
  EXPECT_EQ(count, 1) << rule;
  return found;
}

TEST(Judge, says_nothing_bad_of_a_node_that_is_well) {
  auto sight = quiet();
  sight.sync = SyncSight{};
  sight.disk = DiskSight{50, 100};
  sight.databases = {{"DB1", std::nullopt, ""}};
  sight.keys = {{"token key", kNow}};
  sight.withdrawals = PendingSight{true, 0, std::nullopt};
  sight.jobs = {{"sweep", kSecond, kNow, 0, ""}};
  sight.books = BooksSight{true, 0, 0, ""};
  for (const auto& one : judge(sight, {})) {
    EXPECT_EQ(one.verdict, Verdict::fine) << one.rule << ": " << one.detail;
  }
}

TEST(Judge, watches_only_what_the_node_has) {
  std::vector<std::string> rules;
  for (const auto& one : judge(quiet(), {})) rules.push_back(one.rule);
  EXPECT_THAT(rules, ElementsAre("error_rate", "log_dropped"));
}

TEST(Judge, finds_a_tip_that_waits_longer_than_allowed) {
  auto sight = quiet();
  sight.sync = SyncSight{3, kNow - 30 * kSecond};
  EXPECT_EQ(finding(sight, "sync_lag").verdict, Verdict::fine);
  sight.sync->oldest = kNow - 31 * kSecond;
  const auto bad = finding(sight, "sync_lag");
  EXPECT_EQ(bad.verdict, Verdict::bad);
  EXPECT_EQ(bad.subject, "node-a");
  EXPECT_EQ(bad.severity, Severity::critical);
  EXPECT_THAT(bad.detail, AllOf(HasSubstr("3 tips"), HasSubstr("31 s"), HasSubstr("30 s")));
}

TEST(Judge, takes_no_tip_from_the_future_for_late) {
  auto sight = quiet();
  sight.sync = SyncSight{1, kNow + 3'600 * kSecond};
  EXPECT_EQ(finding(sight, "sync_lag").verdict, Verdict::fine);
}

TEST(Judge, finds_too_many_errors_only_among_enough_requests) {
  auto sight = quiet();
  sight.requests = {49, 49};
  EXPECT_EQ(finding(sight, "error_rate").verdict, Verdict::fine);
  sight.requests = {50, 2};
  EXPECT_EQ(finding(sight, "error_rate").verdict, Verdict::fine);
  sight.requests = {50, 3};
  EXPECT_EQ(finding(sight, "error_rate").verdict, Verdict::bad);
}

TEST(Judge, finds_a_disk_that_fills_up_unless_it_is_not_to_be_watched) {
  auto sight = quiet();
  sight.disk = DiskSight{10, 100};
  EXPECT_EQ(finding(sight, "disk_free").verdict, Verdict::fine);
  sight.disk = DiskSight{9, 100};
  EXPECT_EQ(finding(sight, "disk_free").verdict, Verdict::bad);
  AlertLimits unwatched;
  unwatched.diskFreePercent = 0;
  for (const auto& one : judge(sight, unwatched)) EXPECT_NE(one.rule, "disk_free");
}

TEST(Judge, finds_each_database_that_is_away_or_can_lose_commits) {
  auto sight = quiet();
  sight.databases = {{"DB1", kNow - 7 * kSecond, ""}, {"DB2", std::nullopt, "sync_binlog is 0"}};
  std::vector<std::string> bad;
  for (const auto& one : judge(sight, {})) {
    if (one.verdict == Verdict::bad) bad.push_back(one.rule + " " + one.subject);
  }
  EXPECT_THAT(bad, ElementsAre("database_away node-a DB1", "durability_weakened node-a DB2"));
}

TEST(Judge, finds_old_keys_by_name) {
  auto sight = quiet();
  sight.keys = {{"token key", kNow - Duration{181 * kUsPerDay}}};
  const auto bad = finding(sight, "key_age");
  EXPECT_EQ(bad.verdict, Verdict::bad);
  EXPECT_THAT(bad.detail, AllOf(HasSubstr("token key"), HasSubstr("181 days")));
}

TEST(Judge, does_not_know_of_withdrawals_that_could_not_be_asked_for) {
  auto sight = quiet();
  sight.withdrawals = PendingSight{true, 1, kNow - 601 * kSecond};
  EXPECT_EQ(finding(sight, "withdrawal_pending").verdict, Verdict::bad);
  sight.withdrawals->known = false;
  EXPECT_EQ(finding(sight, "withdrawal_pending").verdict, Verdict::unknown);
}

TEST(Judge, finds_jobs_that_fail_and_jobs_that_do_not_end) {
  auto sight = quiet();
  sight.jobs = {{"sweep", 10 * kSecond, kNow - 50 * kSecond, 2, "no way"}};
  EXPECT_THAT(finding(sight, "job_failed").detail, HasSubstr("no way"));
  EXPECT_EQ(finding(sight, "job_failed").verdict, Verdict::bad);
  EXPECT_EQ(finding(sight, "job_late").verdict, Verdict::fine);
  sight.jobs[0].lastSeen = kNow - 51 * kSecond;
  EXPECT_EQ(finding(sight, "job_late").verdict, Verdict::bad);
}

TEST(Judge, finds_books_that_differ_in_tips_in_money_or_in_an_invariant) {
  for (const auto& books :
       {BooksSight{true, 1, 0, ""}, BooksSight{true, 0, -1, ""}, BooksSight{true, 0, 0, "I9"}}) {
    auto sight = quiet();
    sight.books = books;
    const auto bad = finding(sight, "reconciliation_difference");
    EXPECT_EQ(bad.verdict, Verdict::bad);
    EXPECT_TRUE(bad.atOnce);
  }
}

TEST(Judge, does_not_know_of_books_that_were_not_compared_yet) {
  auto sight = quiet();
  sight.books = BooksSight{};
  EXPECT_EQ(finding(sight, "reconciliation_difference").verdict, Verdict::unknown);
}

TEST(Growth, counts_what_was_added_within_its_window) {
  Growth growth(60 * kSecond);
  for (int i = 0; i <= 24; ++i) growth.add(kNow + i * 5 * kSecond, i * 10);
  EXPECT_EQ(growth.within(), 120);
  growth.add(kNow + 1'000 * kSecond, 240);
  growth.add(kNow + 1'005 * kSecond, 241);
  EXPECT_EQ(growth.within(), 1);
}

TEST(Growth, begins_anew_when_the_count_or_the_clock_goes_back) {
  Growth growth(60 * kSecond);
  growth.add(kNow, 100);
  growth.add(kNow + 5 * kSecond, 150);
  growth.add(kNow + 10 * kSecond, 3);
  EXPECT_EQ(growth.within(), 0);
  growth.add(kNow, 9);
  EXPECT_EQ(growth.within(), 0);
  growth.add(kNow + 5 * kSecond, 12);
  EXPECT_EQ(growth.within(), 3);
}

// Hysteresis --------------------------------------------------------------------------------------
class ConditionsTest : public ::testing::Test {
 protected:
  /// Raised after 15 s, resolved after 30 s.
  std::vector<Condition> look(int second, Verdict verdict, bool atOnce = false) {
    const Finding one{"rule", "node-a", Severity::warning, verdict, "seen", atOnce};
    return conditions.look(kNow + second * kSecond, {one}, {});
  }
  void tell() { conditions.told(conditions.all()); }
  ConditionState state() { return conditions.all().at(0).state; }

  Conditions conditions;
};

const auto kIsRaised = ElementsAre(Field(&Condition::state, ConditionState::raised));
const auto kIsOver = ElementsAre(Field(&Condition::state, ConditionState::over));

TEST_F(ConditionsTest, raises_once_what_has_held_long_enough) {
  EXPECT_THAT(look(0, Verdict::bad), IsEmpty());
  EXPECT_THAT(look(10, Verdict::bad), IsEmpty());
  EXPECT_EQ(state(), ConditionState::settling);
  EXPECT_THAT(look(15, Verdict::bad), kIsRaised);
  EXPECT_THAT(look(20, Verdict::bad), IsEmpty());
  EXPECT_EQ(conditions.all().at(0).since, kNow + 15 * kSecond);
}

TEST_F(ConditionsTest, does_not_raise_what_flickers) {
  for (int second = 0; second < 300; second += 20) {
    EXPECT_THAT(look(second, Verdict::bad), IsEmpty());
    EXPECT_THAT(look(second + 10, Verdict::bad), IsEmpty());
    EXPECT_THAT(look(second + 14, Verdict::fine), IsEmpty());
  }
}

TEST_F(ConditionsTest, raises_at_once_what_is_true_as_soon_as_it_is_seen) {
  EXPECT_THAT(look(0, Verdict::bad, true), kIsRaised);
}

TEST_F(ConditionsTest, ends_only_what_has_been_gone_long_enough) {
  look(0, Verdict::bad, true);
  tell();
  EXPECT_THAT(look(5, Verdict::fine), IsEmpty());
  EXPECT_THAT(look(30, Verdict::bad), IsEmpty());  // back again: still the same condition
  EXPECT_THAT(look(35, Verdict::fine), IsEmpty());
  EXPECT_THAT(look(64, Verdict::fine), IsEmpty());
  EXPECT_THAT(look(65, Verdict::fine), kIsOver);
  EXPECT_THAT(look(70, Verdict::fine), IsEmpty());
}

TEST_F(ConditionsTest, tells_of_what_ended_only_when_its_beginning_was_told) {
  look(0, Verdict::bad, true);
  EXPECT_THAT(look(5, Verdict::fine), IsEmpty());
  EXPECT_THAT(look(500, Verdict::fine), kIsOver) << "the node itself knows";
  EXPECT_EQ(state(), ConditionState::raised);
  tell();
  EXPECT_THAT(look(505, Verdict::fine), IsEmpty());
  EXPECT_EQ(state(), ConditionState::over);
  EXPECT_EQ(conditions.all().at(0).since, kNow + 500 * kSecond);
}

TEST_F(ConditionsTest, sees_each_time_what_comes_again_while_nobody_is_told) {
  look(0, Verdict::bad, true);
  look(5, Verdict::fine);
  EXPECT_THAT(look(100, Verdict::fine), kIsOver);
  EXPECT_THAT(look(105, Verdict::bad, true), kIsRaised);
  EXPECT_EQ(conditions.all().at(0).since, kNow) << "to those who are told it is one";
  tell();
  look(110, Verdict::fine);
  EXPECT_THAT(look(200, Verdict::fine), kIsOver);
  EXPECT_EQ(state(), ConditionState::over);
}

TEST_F(ConditionsTest, does_not_take_what_was_raised_since_for_told) {
  look(0, Verdict::fine);
  const auto reported = conditions.all();
  look(5, Verdict::bad, true);
  conditions.told(reported);
  look(10, Verdict::fine);
  look(100, Verdict::fine);
  EXPECT_EQ(state(), ConditionState::raised);
}

TEST_F(ConditionsTest, is_over_for_a_node_that_starts_and_finds_it_gone) {
  look(0, Verdict::fine);
  EXPECT_EQ(state(), ConditionState::settling);
  EXPECT_THAT(look(30, Verdict::fine), IsEmpty());
  EXPECT_EQ(state(), ConditionState::over);
}

TEST_F(ConditionsTest, changes_nothing_by_what_is_not_known) {
  look(0, Verdict::bad);
  EXPECT_THAT(look(10, Verdict::unknown), IsEmpty());
  EXPECT_THAT(look(15, Verdict::bad), kIsRaised);
  tell();
  EXPECT_THAT(look(500, Verdict::unknown), IsEmpty());
  EXPECT_EQ(state(), ConditionState::raised);
}

TEST_F(ConditionsTest, waits_again_after_a_clock_that_went_back) {
  look(1'000, Verdict::bad);
  EXPECT_THAT(look(0, Verdict::bad), IsEmpty());
  EXPECT_THAT(look(14, Verdict::bad), IsEmpty());
  EXPECT_THAT(look(15, Verdict::bad), kIsRaised);
}

TEST_F(ConditionsTest, forgets_what_is_watched_no_longer) {
  look(0, Verdict::bad, true);
  EXPECT_THAT(conditions.look(kNow, {}, {}), IsEmpty());
  EXPECT_THAT(conditions.all(), IsEmpty());
}

}  // namespace
}  // namespace tipflow
