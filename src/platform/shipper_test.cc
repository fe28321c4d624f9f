#include "platform/shipper.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace tipflow {
namespace {

// A keeper that can be away, and can be waited for.
class Keeper final : public RecordSink {
 public:
  void keep(std::string_view text) override {
    std::vector<std::string> lines;
    eachLine(text, [&](std::string_view line) { lines.emplace_back(line); });
    const std::lock_guard lock(mutex_);
    ++tries_;
    changed_.notify_all();
    if (away_) throw std::runtime_error("is away");
    kept_.insert(kept_.end(), lines.begin(), lines.end());
    largest_ = std::max(largest_, lines.size());
  }
  void setAway(bool away) {
    const std::lock_guard lock(mutex_);
    away_ = away;
  }
  bool waitForTries(int tries) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return tries_ >= tries; });
  }
  bool waitForKept(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return kept_.size() >= count; });
  }
  std::vector<std::string> kept() {
    const std::lock_guard lock(mutex_);
    return kept_;
  }
  std::size_t largest() {
    const std::lock_guard lock(mutex_);
    return largest_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool away_ = false;
  int tries_ = 0;
  std::size_t largest_ = 0;
  std::vector<std::string> kept_;
};

ShipperLimits quick() {
  ShipperLimits limits;
  limits.gather = Duration{1};
  limits.firstPause = Duration{1'000};
  limits.longestPause = Duration{2'000};
  return limits;
}

std::vector<std::string> numbered(int from, int to) {
  std::vector<std::string> lines;
  for (int i = from; i < to; ++i) lines.push_back("line " + std::to_string(i));
  return lines;
}

Lines offered(int from, int to) {
  Lines lines;
  for (const auto& line : numbered(from, to)) lines.add(line);
  return lines;
}

TEST(Shipper, brings_every_line_once_and_in_order) {
  Keeper keeper;
  Metrics metrics;
  auto limits = quick();
  limits.batchLines = 7;
  Shipper shipper(keeper, limits, metrics, "test");
  for (int i = 0; i < 100; i += 10) shipper.offer(offered(i, i + 10));
  shipper.stop(Duration{20 * kUsPerSecond});
  EXPECT_EQ(keeper.kept(), numbered(0, 100));
  EXPECT_LE(keeper.largest(), 7U);
  EXPECT_EQ(shipper.dropped(), 0);
}

TEST(Shipper, goes_on_after_an_outage_without_losing_what_fits) {
  Keeper keeper;
  keeper.setAway(true);
  Metrics metrics;
  Shipper shipper(keeper, quick(), metrics, "test");
  shipper.offer(offered(0, 50));
  ASSERT_TRUE(keeper.waitForTries(3));
  shipper.offer(offered(50, 60));
  keeper.setAway(false);
  ASSERT_TRUE(keeper.waitForTries(4));
  shipper.stop(Duration{20 * kUsPerSecond});
  EXPECT_EQ(keeper.kept(), numbered(0, 60));
  EXPECT_EQ(shipper.dropped(), 0);
}

TEST(Shipper, drops_and_counts_what_does_not_fit) {
  Keeper keeper;
  keeper.setAway(true);
  Metrics metrics;
  auto limits = quick();
  limits.waitingBytes = 70;  // ten lines of seven bytes
  Shipper shipper(keeper, limits, metrics, "test");
  shipper.offer(offered(0, 10));
  ASSERT_TRUE(keeper.waitForTries(2));
  shipper.offer(offered(0, 9));  // the ten above still wait, whoever holds them
  EXPECT_EQ(shipper.dropped(), 9);
  EXPECT_NE(metrics.text().find("tipflow_records_dropped_total{sink=\"test\"} 9"),
            std::string::npos);
  keeper.setAway(false);
  shipper.stop(Duration{20 * kUsPerSecond});
  EXPECT_EQ(keeper.kept(), numbered(0, 10));
}

TEST(Shipper, takes_of_many_lines_those_that_fit) {
  Keeper keeper;
  keeper.setAway(true);
  Metrics metrics;
  auto limits = quick();
  limits.waitingBytes = 40;
  Shipper shipper(keeper, limits, metrics, "test");
  shipper.offer(offered(0, 9));  // of seven bytes each
  EXPECT_EQ(shipper.dropped(), 4);
  keeper.setAway(false);
  shipper.stop(Duration{20 * kUsPerSecond});
  EXPECT_EQ(keeper.kept(), numbered(0, 5));
}

TEST(Shipper, sends_a_line_that_is_larger_than_a_batch_by_itself) {
  Keeper keeper;
  Metrics metrics;
  auto limits = quick();
  limits.batchBytes = 10;
  Shipper shipper(keeper, limits, metrics, "test");
  Lines lines;
  for (const std::string line : {"a", "b", "a line of more than ten bytes", "c"}) lines.add(line);
  shipper.offer(lines);
  shipper.stop(Duration{20 * kUsPerSecond});
  EXPECT_EQ(keeper.kept(),
            (std::vector<std::string>{"a", "b", "a line of more than ten bytes", "c"}));
  EXPECT_LE(keeper.largest(), 2U);
}

TEST(Shipper, ends_in_time_when_nobody_takes_its_lines) {
  Keeper keeper;
  keeper.setAway(true);
  Metrics metrics;
  Shipper shipper(keeper, quick(), metrics, "test");
  shipper.offer(offered(0, 10));
  ASSERT_TRUE(keeper.waitForTries(1));
  shipper.stop(Duration{1'000});
  EXPECT_EQ(shipper.dropped(), 10);
}

}  // namespace
}  // namespace tipflow
