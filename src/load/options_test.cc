#include "load/options.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace tipflow::load {
namespace {

std::string faultOf(const std::function<void(LoadOptions&)>& change) {
  LoadOptions options;
  change(options);
  const auto result = settingsOf(options);
  const auto* fault = std::get_if<std::string>(&result);
  return fault != nullptr ? *fault : "";
}

Settings settingsWith(const std::function<void(LoadOptions&)>& change) {
  LoadOptions options;
  change(options);
  return std::get<Settings>(settingsOf(options));
}

TEST(Options, that_cannot_be_met_are_refused_by_name) {
  const std::vector<std::pair<std::string, std::function<void(LoadOptions&)>>> cases{
      {"--url", [](auto& o) { o.url = "https://127.0.0.1"; }},
      {"--rate", [](auto& o) { o.rate = -1; }},
      {"--seconds", [](auto& o) { o.seconds = -1; }},
      {"--tips", [](auto& o) { o.tips = 0; }},
      {"--stages", [](auto& o) { o.stages = "10s"; }},
      {"--seconds", [](auto& o) { o.stages = "10s:5", o.seconds = 3; }},
      {"--warmup", [](auto& o) { o.stages = "10s:5", o.warmupSeconds = 10; }},
      {"--batch", [](auto& o) { o.batch = 1'001, o.operatorPassword = "p"; }},
      {"TIPFLOW_ADMIN_PASSWORD", [](auto& o) { o.batch = 10; }},
      {"--threads", [](auto& o) { o.threads = 17; }},
      {"--viewers", [](auto& o) { o.threads = 4, o.viewers = 3; }},
      {"--zipf", [](auto& o) { o.zipf = -0.5; }},
      {"--duplicates", [](auto& o) { o.duplicates = 1.5; }},
      {"--drop-after", [](auto& o) { o.dropAfterSeconds = 0; }},
      {"--threshold p99<25", [](auto& o) { o.thresholds = {"p99<25"}; }},
      {"--connections", [](auto& o) { o.connections = 0; }},
  };
  for (const auto& [named, change] : cases) {
    EXPECT_NE(faultOf(change).find(named), std::string::npos) << named << ": " << faultOf(change);
  }
}

TEST(Options, say_how_long_the_run_is) {
  EXPECT_EQ(settingsWith([](auto&) {}).seconds, 10);
  EXPECT_EQ(settingsWith([](auto& o) { o.seconds = 30; }).seconds, 30);
  EXPECT_EQ(settingsWith([](auto& o) { o.stages = "10s:5,5s:0", o.warmupSeconds = 3; }).seconds,
            12);
  EXPECT_TRUE(settingsWith([](auto& o) { o.seconds = 0; }).endless());
  const auto bounded = settingsWith([](auto& o) { o.tips = 1'000; });
  EXPECT_EQ(bounded.seconds, std::nullopt);
  EXPECT_FALSE(bounded.endless());
}

}  // namespace
}  // namespace tipflow::load
