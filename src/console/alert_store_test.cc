// Alerts and run-time settings on both databases: one open alert for a rule and subject, whoever
// raises it; what was resolved stays as it was.
#include "console/alert_store.h"

#include <gmock/gmock.h>

#include "console/operators.h"
#include "store/database.h"

namespace tipflow::console::store {
namespace {

using fixture::number;
using fixture::rows;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Time kNow{1'770'000'000'123'000};
constexpr Duration kSecond{kUsPerSecond};

class AlertStore : public ::testing::TestWithParam<fixture::Engine> {
 protected:
  static Condition condition(const std::string& rule, const std::string& subject = "node-a",
                             Severity severity = Severity::warning) {
    return {rule, subject, severity, ConditionState::raised, "12 tips wait", kNow};
  }
  std::int64_t raised(const Condition& condition) {
    return raise(*c, "node-a", condition).value_or(0);
  }
  std::vector<std::int64_t> listed(const AlertFilter& filter = {}, std::int64_t before = kIdEnd,
                                   int limit = 100) {
    std::vector<std::int64_t> ids;
    for (const auto& one : alerts(*c, filter, before, limit)) ids.push_back(one.id);
    return ids;
  }

  fixture::TestDatabase database{GetParam(), "db2"};
  std::unique_ptr<db::Connection> c = database.connect();
};
TIPFLOW_ON_BOTH(AlertStore);

TEST_P(AlertStore, keeps_what_was_raised) {
  const auto id = raised(condition("sync_lag", "node-a", Severity::critical));
  const auto found = alert(*c, id).value();
  EXPECT_EQ(found.rule, "sync_lag");
  EXPECT_EQ(found.subject, "node-a");
  EXPECT_EQ(found.severity, Severity::critical);
  EXPECT_EQ(found.state, AlertState::raised);
  EXPECT_EQ(found.detail, "12 tips wait");
  EXPECT_EQ(found.raisedAt, kNow);
  EXPECT_EQ(found.acknowledgedAt, std::nullopt);
  EXPECT_EQ(found.acknowledgedBy, std::nullopt);
  EXPECT_EQ(found.resolvedAt, std::nullopt);
  EXPECT_EQ(alert(*c, id + 1'000), std::nullopt);
}

TEST_P(AlertStore, has_one_open_alert_for_a_rule_and_subject) {
  const auto first = raised(condition("sync_lag"));
  EXPECT_EQ(raise(*c, "node-b", condition("sync_lag")), std::nullopt);
  EXPECT_NE(raised(condition("sync_lag", "node-b")), 0);
  EXPECT_NE(raised(condition("error_rate")), 0);
  EXPECT_TRUE(resolve(*c, first, kNow, ""));
  const auto again = raised(condition("sync_lag"));
  EXPECT_GT(again, first);
  EXPECT_TRUE(resolve(*c, again, kNow, ""));
  EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM alert WHERE rule_name = 'sync_lag'"), 3);
}

TEST_P(AlertStore, of_many_that_raise_the_same_at_once_one_does) {
  std::atomic<int> made{0};
  fixture::atOnce(8, [&](int) {
    const auto mine = database.connect();
    const auto id = db::transact(*mine, [](db::Connection& connection) {
      return raise(connection, "node-a", condition("sync_lag"));
    });
    if (id) ++made;
  });
  EXPECT_EQ(made, 1);
  EXPECT_THAT(openAlerts(*c), SizeIs(1));
}

TEST_P(AlertStore, resolves_once_and_says_why) {
  const auto id = raised(condition("sync_lag"));
  EXPECT_TRUE(resolve(*c, id, kNow + kSecond, "; gone"));
  EXPECT_FALSE(resolve(*c, id, kNow + 9 * kSecond, "; again"));
  const auto found = alert(*c, id).value();
  EXPECT_EQ(found.state, AlertState::resolved);
  EXPECT_EQ(found.resolvedAt, kNow + kSecond);
  EXPECT_EQ(found.detail, "12 tips wait; gone");
  EXPECT_THAT(openAlerts(*c), IsEmpty());
}

TEST_P(AlertStore, knows_when_the_node_of_an_open_alert_was_heard) {
  const auto first = raised(condition("sync_lag"));
  const auto second = raised(condition("error_rate"));
  EXPECT_EQ(openAlerts(*c).at(0).heardAt, kNow) << "it raised it then";
  heard(*c, "node-a", kNow + 5 * kSecond);
  heard(*c, "node-a", kNow + 9 * kSecond);
  for (const auto& open : openAlerts(*c)) EXPECT_EQ(open.heardAt, kNow + 9 * kSecond);
  resolve(*c, first, kNow, "");
  EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM alert_node"), 1);
  resolve(*c, second, kNow, "");
  EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM alert_node"), 0) << "nobody has to know any more";
}

TEST_P(AlertStore, is_not_resolved_before_it_was_raised) {
  const auto id = raised(condition("sync_lag"));
  resolve(*c, id, kNow - kSecond, "");
  EXPECT_EQ(alert(*c, id)->resolvedAt, kNow);
}

TEST_P(AlertStore, is_acknowledged_once_by_an_operator_with_a_name) {
  ASSERT_TRUE(addFirstAdmin(*c, "hash", kNow));
  const auto admin = number(*c, "SELECT id FROM operator_user");
  const auto id = raised(condition("sync_lag"));
  EXPECT_TRUE(acknowledge(*c, id, admin, kNow + kSecond));
  EXPECT_FALSE(acknowledge(*c, id, admin + 1, kNow + 2 * kSecond));
  auto found = alert(*c, id).value();
  EXPECT_EQ(found.state, AlertState::acknowledged);
  EXPECT_EQ(found.acknowledgedAt, kNow + kSecond);
  EXPECT_EQ(found.acknowledgedBy, "admin");
  resolve(*c, id, kNow + 3 * kSecond, "");
  found = alert(*c, id).value();
  EXPECT_EQ(found.state, AlertState::resolved);
  EXPECT_EQ(found.acknowledgedBy, "admin");
}

TEST_P(AlertStore, once_resolved_is_not_acknowledged) {
  const auto id = raised(condition("sync_lag"));
  resolve(*c, id, kNow, "");
  EXPECT_FALSE(acknowledge(*c, id, 1, kNow));
  EXPECT_EQ(alert(*c, id)->acknowledgedAt, std::nullopt);
}

TEST_P(AlertStore, names_an_operator_who_is_gone_by_number) {
  const auto id = raised(condition("sync_lag"));
  acknowledge(*c, id, 4711, kNow);
  EXPECT_EQ(alert(*c, id)->acknowledgedBy, "4711");
}

TEST_P(AlertStore, lists_newest_first_by_state_severity_and_page) {
  const auto first = raised(condition("a"));
  const auto second = raised(condition("b", "node-a", Severity::critical));
  const auto third = raised(condition("c"));
  acknowledge(*c, second, 1, kNow);
  resolve(*c, first, kNow, "");
  EXPECT_THAT(listed(), ElementsAre(third, second, first));
  EXPECT_THAT(listed({}, third, 1), ElementsAre(second));
  EXPECT_THAT(listed({AlertState::raised, {}}), ElementsAre(third));
  EXPECT_THAT(listed({AlertState::acknowledged, {}}), ElementsAre(second));
  EXPECT_THAT(listed({AlertState::resolved, {}}), ElementsAre(first));
  EXPECT_THAT(listed({{}, Severity::critical}), ElementsAre(second));
  EXPECT_THAT(listed({AlertState::raised, Severity::critical}), IsEmpty());
}

TEST_P(AlertStore, cuts_a_long_detail_between_characters) {
  auto long_ = condition("sync_lag");
  long_.detail.clear();
  for (int i = 0; i < 200; ++i) long_.detail += "告";  // three bytes each
  const auto id = raised(long_);
  EXPECT_EQ(alert(*c, id)->detail, long_.detail.substr(0, 498));
}

TEST_P(AlertStore, keeps_settings_until_they_are_taken_back) {
  ASSERT_TRUE(addFirstAdmin(*c, "hash", kNow));
  const auto admin = number(*c, "SELECT id FROM operator_user");
  changeSetting(*c, "log.level", "debug", admin, kNow);
  changeSetting(*c, "alerts.key_age_days", "9", 4711, kNow);
  changeSetting(*c, "log.level", "error", admin, kNow + kSecond);
  const auto kept = settings(*c);
  ASSERT_THAT(kept, SizeIs(2));
  EXPECT_EQ(kept.at("log.level").value, "error");
  EXPECT_EQ(kept.at("log.level").changedAt, kNow + kSecond);
  EXPECT_EQ(kept.at("log.level").changedBy, "admin");
  EXPECT_EQ(kept.at("alerts.key_age_days").changedBy, "4711");
  changeSetting(*c, "log.level", std::nullopt, admin, kNow);
  EXPECT_EQ(settingTexts(*c), (SettingTexts{{"alerts.key_age_days", "9"}}));
}

}  // namespace
}  // namespace tipflow::console::store
