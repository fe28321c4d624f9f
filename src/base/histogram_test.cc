#include "base/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/random.h"

namespace tipflow {
namespace {

using Us = Histogram::Value;

TEST(Histogram, is_empty_at_first) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.max(), Us{0});
  EXPECT_EQ(histogram.percentile(99), Us{0});
}

TEST(Histogram, counts_a_value_as_often_as_it_is_told) {
  Histogram histogram;
  histogram.record(Us{5}, 98);
  histogram.record(Us{70}, 2);
  histogram.record(Us{900}, 0);
  EXPECT_EQ(histogram.count(), 100U);
  EXPECT_EQ(histogram.percentile(98), Us{5});
  EXPECT_EQ(histogram.percentile(98.5), Us{70});
  EXPECT_EQ(histogram.max(), Us{70});
}

TEST(Histogram, tells_small_values_apart_exactly) {
  Histogram histogram;
  for (int us = 1; us <= 1'000; ++us) histogram.record(Us{us});
  EXPECT_EQ(histogram.count(), 1'000U);
  EXPECT_EQ(histogram.percentile(0), Us{1});
  EXPECT_EQ(histogram.percentile(50), Us{500});
  EXPECT_EQ(histogram.percentile(99), Us{990});
  EXPECT_EQ(histogram.percentile(99.9), Us{999});
  EXPECT_EQ(histogram.percentile(100), Us{1'000});
}

TEST(Histogram, knows_each_value_to_three_digits_from_a_microsecond_to_an_hour) {
  for (std::int64_t us = 1; us < Histogram::kMost.count(); us = us * 5 / 4 + 1) {
    Histogram histogram;
    histogram.record(Us{us});
    histogram.record(Histogram::kMost);  // so that max() does not give the answer away
    const auto seen = histogram.percentile(50).count();
    EXPECT_GE(seen, us);
    EXPECT_LE(seen - us, us / 1'000) << us;
  }
}

TEST(Histogram, agrees_with_sorting_the_values) {
  SeededRandom random(7);
  Histogram histogram;
  std::vector<std::int64_t> values;
  for (int i = 0; i < 20'000; ++i) {
    values.push_back(static_cast<std::int64_t>(random.below(std::uint64_t{1} << random.below(30))));
    histogram.record(Us{values.back()});
  }
  std::sort(values.begin(), values.end());
  for (const double percent : {1.0, 10.0, 50.0, 90.0, 99.0, 99.9, 99.99}) {
    const auto exact = values[static_cast<std::size_t>(percent / 100 * 20'000 - 0.5)];
    const auto seen = histogram.percentile(percent).count();
    EXPECT_GE(seen, exact) << percent;
    EXPECT_LE(seen, exact + exact / 1'000) << percent;
  }
  EXPECT_EQ(histogram.max(), Us{values.back()});
}

TEST(Histogram, merged_parts_are_the_whole) {
  Histogram whole;
  Histogram left;
  Histogram right;
  for (int us = 0; us < 100'000; us += 7) {
    whole.record(Us{us});
    (us % 3 == 0 ? left : right).record(Us{us});
  }
  left.merge(right);
  EXPECT_EQ(left.count(), whole.count());
  EXPECT_EQ(left.max(), whole.max());
  for (const double percent : {5.0, 50.0, 95.0, 99.9}) {
    EXPECT_EQ(left.percentile(percent), whole.percentile(percent));
  }
}

TEST(Histogram, keeps_what_lies_outside_its_range_at_the_ends) {
  Histogram histogram;
  histogram.record(Us{-5});
  histogram.record(Histogram::kMost + Us{1'000});
  EXPECT_EQ(histogram.count(), 2U);
  EXPECT_EQ(histogram.percentile(50), Us{0});
  EXPECT_EQ(histogram.percentile(100), Histogram::kMost);
  EXPECT_EQ(histogram.max(), Histogram::kMost + Us{1'000});
}

TEST(Histogram, is_empty_again_after_clear) {
  Histogram histogram;
  histogram.record(Us{12'345});
  histogram.clear();
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.percentile(100), Us{0});
  histogram.record(Us{3});
  EXPECT_EQ(histogram.percentile(100), Us{3});
}

TEST(Histogram, tells_its_steps_from_which_an_equal_one_is_made) {
  Histogram one;
  for (const int value : {0, 5, 5, 2'047, 2'048, 1'000'000}) {
    one.record(std::chrono::microseconds(value));
  }
  Histogram other;
  std::uint64_t count = 0;
  for (const auto& [value, times] : one.steps()) {
    other.record(value, times);
    count += times;
  }
  EXPECT_EQ(count, 6U);
  EXPECT_EQ(other.max(), one.max());
  for (const double percent : {10.0, 50.0, 70.0, 90.0, 100.0}) {
    EXPECT_EQ(other.percentile(percent), one.percentile(percent)) << percent;
  }
}

}  // namespace
}  // namespace tipflow
