// The lease: one holder at a time as long as clocks run evenly, and an epoch that tells results of
// an outdated holder from those of the newest whatever clocks do.
#include "platform/schedule/lease.h"

#include <gtest/gtest.h>

namespace tipflow::schedule {
namespace {

constexpr Duration kLength{10'000'000};
constexpr LeaseLimits kLimits{kLength, Duration{1'000'000}};

Time at(double seconds) { return Time{static_cast<std::int64_t>(seconds * 1e6)}; }

template <class T>
const T* as(const Lease::Action& action) {
  return std::get_if<T>(&action);
}

/// Store and holders together: one row, and each holder's core with a clock of its own.
class OneLease : public ::testing::Test {
 protected:
  bool acquire(Lease& lease, const std::string& holder, Time now) {
    const auto next = taken(row, holder, now, kLength);
    if (!next) {
      lease.onLost(now);
      return false;
    }
    row = next;
    lease.onAcquired(row->epoch, now);
    return true;
  }
  bool renew(Lease& lease, Time now) {
    const auto next = renewed(row, lease.epoch(), now, kLength);
    if (!next) {
      lease.onLost(now);
      return false;
    }
    row = next;
    lease.onRenewed(now);
    return true;
  }

  std::optional<LeaseRow> row;
  Lease a{kLimits};
  Lease b{kLimits};
};

TEST_F(OneLease, is_asked_for_before_any_work_is_done) {
  EXPECT_FALSE(a.held(at(0)));
  EXPECT_NE(as<Lease::Acquire>(a.next(at(0))), nullptr);
  ASSERT_TRUE(acquire(a, "a", at(0)));
  EXPECT_TRUE(a.held(at(0)));
  EXPECT_TRUE(mayWrite(row, a.epoch()));
}

TEST_F(OneLease, is_refused_to_another_while_it_runs_and_the_refused_one_waits) {
  ASSERT_TRUE(acquire(a, "a", at(0)));
  EXPECT_FALSE(acquire(b, "b", at(9.999)));
  EXPECT_FALSE(b.held(at(9.999)));
  const auto next = b.next(at(9.999));
  ASSERT_NE(as<Lease::WaitUntil>(next), nullptr);
  EXPECT_EQ(as<Lease::WaitUntil>(next)->time, at(10.999));
  EXPECT_NE(as<Lease::Acquire>(b.next(at(10.999))), nullptr);
}

TEST_F(OneLease, changes_hands_when_it_has_run_out_and_the_epoch_grows) {
  ASSERT_TRUE(acquire(a, "a", at(0)));
  const auto first = a.epoch();
  ASSERT_TRUE(acquire(b, "b", at(10)));
  EXPECT_GT(b.epoch(), first);
  EXPECT_FALSE(a.held(at(10)));
}

TEST_F(OneLease, takes_no_result_of_an_outdated_holder) {
  ASSERT_TRUE(acquire(a, "a", at(0)));
  ASSERT_TRUE(acquire(b, "b", at(10)));
  // Frozen since its clock said 1: it still believes.
  EXPECT_TRUE(a.held(at(1)));
  EXPECT_FALSE(mayWrite(row, a.epoch()));
  EXPECT_TRUE(mayWrite(row, b.epoch()));
  EXPECT_FALSE(renew(a, at(11)));
  EXPECT_FALSE(a.held(at(11)));
}

TEST_F(OneLease, takes_no_result_before_it_was_ever_given_and_none_of_the_future) {
  EXPECT_FALSE(mayWrite(row, 0));
  EXPECT_FALSE(mayWrite(row, 1));
  ASSERT_TRUE(acquire(a, "a", at(0)));
  EXPECT_FALSE(mayWrite(row, a.epoch() + 1));
}

TEST_F(OneLease, is_renewed_in_time_and_keeps_its_epoch) {
  ASSERT_TRUE(acquire(a, "a", at(0)));
  const auto epoch = a.epoch();
  for (double now = 0; now < 60;) {
    const auto next = a.next(at(now));
    if (const auto* wait = as<Lease::WaitUntil>(next)) {
      EXPECT_GT(wait->time, at(now));
      now = static_cast<double>(wait->time.us) / 1e6;
      EXPECT_TRUE(a.held(at(now))) << now;
      continue;
    }
    const auto* asked = as<Lease::Renew>(next);
    ASSERT_NE(asked, nullptr) << now;
    EXPECT_EQ(asked->epoch, epoch);
    ASSERT_TRUE(renew(a, at(now)));
    EXPECT_FALSE(acquire(b, "b", at(now + 9)));
  }
  EXPECT_EQ(a.epoch(), epoch);
}

TEST_F(OneLease, goes_on_after_it_ran_out_when_nobody_took_it) {
  ASSERT_TRUE(acquire(a, "a", at(0)));
  EXPECT_TRUE(renew(a, at(15)));
  EXPECT_TRUE(a.held(at(24)));
  EXPECT_FALSE(acquire(b, "b", at(24)));
}

TEST_F(OneLease, counts_from_before_it_was_asked_for) {
  // Asked at 0; granted by the store at 3, heard at 6: the holder stops at 10, the store at 13.
  row = taken(row, "a", at(3), kLength);
  a.onAcquired(row->epoch, at(0));
  EXPECT_TRUE(a.held(at(9.999)));
  EXPECT_FALSE(a.held(at(10)));
  EXPECT_EQ(row->until, at(13));
}

TEST_F(OneLease, may_be_taken_again_by_its_holder_when_the_answer_was_lost) {
  row = taken(row, "a", at(0), kLength);
  const auto lost = row->epoch;
  a.onFailed(at(1));
  EXPECT_NE(as<Lease::WaitUntil>(a.next(at(1))), nullptr);
  ASSERT_TRUE(acquire(a, "a", at(3)));
  EXPECT_GT(a.epoch(), lost);
  EXPECT_FALSE(mayWrite(row, lost));
}

TEST_F(OneLease, is_still_held_when_a_renewal_failed_until_it_runs_out) {
  ASSERT_TRUE(acquire(a, "a", at(0)));
  a.onFailed(at(4));
  EXPECT_TRUE(a.held(at(4)));
  EXPECT_NE(as<Lease::Renew>(a.next(at(6))), nullptr);
  EXPECT_NE(as<Lease::Acquire>(a.next(at(10))), nullptr);
}

TEST_F(OneLease, is_given_up_when_the_clock_goes_back_behind_the_moment_of_asking) {
  ASSERT_TRUE(acquire(a, "a", at(100)));
  EXPECT_FALSE(a.held(at(50)));
  EXPECT_NE(as<Lease::Acquire>(a.next(at(50))), nullptr);
  // Nor does a wait last for the length of the jump.
  b.onLost(at(1'000));
  const auto next = b.next(at(0));
  ASSERT_NE(as<Lease::WaitUntil>(next), nullptr);
  EXPECT_LE(as<Lease::WaitUntil>(next)->time, at(10));
}

TEST_F(OneLease, is_not_shortened_by_a_renewal_at_a_store_whose_clock_went_back) {
  ASSERT_TRUE(acquire(a, "a", at(100)));
  ASSERT_TRUE(renew(a, at(50)));
  EXPECT_EQ(row->until, at(110));
}

}  // namespace
}  // namespace tipflow::schedule
