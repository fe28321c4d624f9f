#include "load/watch/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <functional>

namespace tipflow::load::watch {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

WatchOptions fine() {
  WatchOptions options;
  options.urls = {"http://127.0.0.1:8080", "http://127.0.0.1:8081"};
  options.servers = {getpid()};
  options.thresholds = {"p99<500ms"};
  return options;
}

TEST(WatchOptions, as_they_come_are_fine) { EXPECT_THAT(faultOf(fine()), IsEmpty()); }

TEST(WatchOptions, that_cannot_be_done_are_refused_by_their_name) {
  const auto fault = [](const std::function<void(WatchOptions&)>& change) {
    auto options = fine();
    change(options);
    return faultOf(options);
  };
  EXPECT_THAT(fault([](auto& o) { o.urls.clear(); }), HasSubstr("--url"));
  EXPECT_THAT(fault([](auto& o) { o.urls.push_back("ws://x"); }), HasSubstr("--url"));
  EXPECT_THAT(fault([](auto& o) { o.apiUrl = "x"; }), HasSubstr("--api"));
  EXPECT_THAT(fault([](auto& o) { o.viewers = 0; }), HasSubstr("--viewers"));
  EXPECT_THAT(fault([](auto& o) { o.people = 0; }), HasSubstr("--people"));
  EXPECT_THAT(fault([](auto& o) { o.rooms = 0; }), HasSubstr("--rooms"));
  EXPECT_THAT(fault([](auto& o) { o.zipf = -1; }), HasSubstr("--zipf"));
  EXPECT_THAT(fault([](auto& o) { o.openPerSecond = 0; }), HasSubstr("--open-rate"));
  EXPECT_THAT(fault([](auto& o) { o.openSeconds = 0; }), HasSubstr("--open-seconds"));
  EXPECT_THAT(fault([](auto& o) { o.perProcess = -1; }), HasSubstr("--per-process"));
  EXPECT_THAT(fault([](auto& o) { o.perProcess = 1'000'000'000; }), HasSubstr("--per-process"));
  EXPECT_THAT(fault([](auto& o) { o.perAddress = 20'001; }), HasSubstr("--per-address"));
  EXPECT_THAT(fault([](auto& o) { o.rate = -1; }), HasSubstr("--rate"));
  EXPECT_THAT(fault([](auto& o) { o.seconds = -1; }), HasSubstr("--seconds"));
  EXPECT_THAT(fault([](auto& o) { o.rate = o.seconds = 50'000; }), HasSubstr("20 million"));
  EXPECT_THAT(fault([](auto& o) { o.burstRate = -1; }), HasSubstr("--burst-rate"));
  EXPECT_THAT(fault([](auto& o) { o.burstSeconds = -1; }), HasSubstr("--burst-seconds"));
  EXPECT_THAT(fault([](auto& o) { o.burstRate = o.burstSeconds = 50'000; }),
              HasSubstr("20 million"));
  EXPECT_THAT(fault([](auto& o) { o.settleSeconds = -1; }), HasSubstr("--settle"));
  EXPECT_THAT(fault([](auto& o) { o.awaySeconds = -1; }), HasSubstr("--away"));
  EXPECT_THAT(fault([](auto& o) { o.password = "short"; }), HasSubstr("--password"));
  EXPECT_THAT(fault([](auto& o) { o.thresholds = {"p98<5"}; }), HasSubstr("--threshold p98<5"));
  EXPECT_THAT(fault([](auto& o) { o.servers = {999'999'999}; }), HasSubstr("--pid 999999999"));
}

}  // namespace
}  // namespace tipflow::load::watch
