#include "platform/runtime_settings.h"

#include <gmock/gmock.h>

namespace tipflow {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<FieldError> faultsOf(const char* setting, const boost::json::value& value) {
  json::Faults faults;
  settingText(*runtimeKey(setting), value, faults);
  return faults.take();
}

TEST(RuntimeSettings, are_those_declared_so) {
  EXPECT_NE(runtimeKey("log.level"), nullptr);
  EXPECT_NE(runtimeKey("alerts.sync_lag_seconds"), nullptr);
  EXPECT_EQ(runtimeKey("db1.url"), nullptr);
  EXPECT_EQ(runtimeKey("alerts.webhook_secret"), nullptr);
  EXPECT_EQ(runtimeKey("nothing"), nullptr);
}

TEST(RuntimeSettings, each_have_words_or_bounds) {
  for (const auto& key : configKeys()) {
    if (!key.atRunTime) continue;
    const bool number = std::holds_alternative<std::int64_t Config::*>(key.field);
    EXPECT_TRUE(number ? key.words.empty() && key.least < key.most : !key.words.empty())
        << key.name;
  }
}

TEST(RuntimeSettings, take_what_their_declaration_allows) {
  json::Faults faults;
  EXPECT_EQ(settingText(*runtimeKey("log.level"), "debug", faults), "debug");
  EXPECT_EQ(settingText(*runtimeKey("alerts.sync_lag_seconds"), 86'400, faults), "86400");
  EXPECT_TRUE(faults.none());
}

TEST(RuntimeSettings, name_themselves_when_a_value_is_wrong) {
  const auto is = [](const char* field, ErrorCode code) {
    return ElementsAre(::testing::AllOf(::testing::Field(&FieldError::field, field),
                                        ::testing::Field(&FieldError::code, code)));
  };
  EXPECT_THAT(faultsOf("log.level", "loud"), is("log.level", ErrorCode::invalid_format));
  EXPECT_THAT(faultsOf("log.level", 3), is("log.level", ErrorCode::wrong_type));
  const auto* const lag = "alerts.sync_lag_seconds";
  EXPECT_THAT(faultsOf(lag, "30"), is(lag, ErrorCode::wrong_type));
  EXPECT_THAT(faultsOf(lag, 1.5), is(lag, ErrorCode::wrong_type));
  EXPECT_THAT(faultsOf(lag, 0), is(lag, ErrorCode::out_of_range));
  EXPECT_THAT(faultsOf(lag, 86'401), is(lag, ErrorCode::out_of_range));
  EXPECT_THAT(faultsOf(lag, std::uint64_t{1} << 63U), is(lag, ErrorCode::out_of_range));
}

TEST(RuntimeSettings, go_over_what_is_configured) {
  Config configured;
  configured.alertKeyAgeDays = 7;
  std::vector<std::string> ignored;
  const auto config =
      withChanges(configured, {{"log.level", "error"}, {"alerts.sync_lag_seconds", "5"}}, ignored);
  EXPECT_EQ(config.logLevel, "error");
  EXPECT_EQ(config.alertSyncLagSeconds, 5);
  EXPECT_EQ(config.alertKeyAgeDays, 7);
  EXPECT_THAT(ignored, IsEmpty());
}

TEST(RuntimeSettings, that_another_release_kept_are_left_as_configured) {
  std::vector<std::string> ignored;
  const auto config = withChanges({},
                                  {{"alerts.error_percent", "101"},
                                   {"alerts.key_age_days", "x"},
                                   {"db1.url", "sqlite:x"},
                                   {"log.level", "loud"},
                                   {"never.heard", "1"}},
                                  ignored);
  EXPECT_EQ(config.logLevel, Config{}.logLevel);
  EXPECT_EQ(config.alertErrorPercent, Config{}.alertErrorPercent);
  EXPECT_EQ(config.db1Url, "");
  EXPECT_THAT(ignored, ElementsAre("alerts.error_percent", "alerts.key_age_days", "db1.url",
                                   "log.level", "never.heard"));
}

}  // namespace
}  // namespace tipflow
