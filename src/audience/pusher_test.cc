#include "audience/pusher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/random.h"

namespace tipflow::audience {
namespace {

using finance::BatchStatus;
using finance::LedgerTip;

constexpr LaneId kLane{4};
constexpr Time kNow{1'770'000'000'000'000};

Duration ms(std::int64_t n) { return Duration{n * kUsPerMs}; }

LedgerTip tip(std::int64_t seq, LaneId lane = kLane) {
  LedgerTip made;
  made.id = tipIdOf(lane, LaneSeq{seq});
  made.anchor = AnchorId{1 + seq % 3};
  made.viewer = ViewerId{1 + seq % 7};
  made.amount = Fen{100 + seq};
  made.anchorGender = Gender::female;
  made.viewerGender = Gender::male;
  made.acceptedAt = kNow + Duration{seq};
  return made;
}

std::vector<LedgerTip> tips(std::int64_t from, std::int64_t to) {
  std::vector<LedgerTip> made;
  for (auto seq = from; seq <= to; ++seq) made.push_back(tip(seq));
  return made;
}

bool sameTip(const LedgerTip& a, const LedgerTip& b) {
  return a.id == b.id && a.anchor == b.anchor && a.viewer == b.viewer && a.amount == b.amount &&
         a.anchorGender == b.anchorGender && a.viewerGender == b.viewerGender &&
         a.acceptedAt == b.acceptedAt;
}

bool sameTips(std::span<const LedgerTip> a, std::span<const LedgerTip> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), sameTip);
}

struct PusherTest : testing::Test {
  Time now = kNow;
  Pusher pusher{kLane, PusherLimits{}};

  void use(PusherLimits limits) { pusher = Pusher(kLane, limits); }

  template <class A>
  A wants() {
    const auto action = pusher.next(now);
    EXPECT_TRUE(std::holds_alternative<A>(action)) << "action " << action.index();
    return std::holds_alternative<A>(action) ? std::get<A>(action) : A{};
  }
  void expectPush(std::int64_t from, std::int64_t to) {
    const auto push = wants<Pusher::Push>();
    EXPECT_EQ(push.from, LaneSeq{from});
    EXPECT_EQ(push.to, LaneSeq{to});
    EXPECT_TRUE(sameTips(push.tips, tips(from, to)));
  }
  void expectLoad(std::int64_t after) { EXPECT_EQ(wants<Pusher::Load>().after, LaneSeq{after}); }
  void commit(std::int64_t from, std::int64_t to) { pusher.onCommitted(tips(from, to)); }
  void answer(BatchStatus status, std::int64_t cursor = 0) {
    pusher.onAnswer({status, LaneSeq{cursor}}, now);
  }
  // Finance applies what the pusher wants to push now.
  void apply() {
    const auto push = wants<Pusher::Push>();
    answer(BatchStatus::applied, push.to.value);
  }
};

TEST_F(PusherTest, asks_where_finance_stands_before_it_moves_anything) {
  commit(1, 3);
  wants<Pusher::AskCursor>();
  pusher.onCursor(LaneSeq{0});
  expectPush(1, 3);
  EXPECT_EQ(pusher.lag(), 3);
}

TEST_F(PusherTest, pushes_in_number_order_at_most_a_batch_at_a_time) {
  use({.batch = 4});
  commit(1, 10);
  pusher.onCursor(LaneSeq{0});
  expectPush(1, 4);
  apply();
  expectPush(5, 8);
  apply();
  expectPush(9, 10);
  apply();
  wants<Pusher::Idle>();
  EXPECT_EQ(pusher.lag(), 0);
  EXPECT_EQ(pusher.cursor(), LaneSeq{10});
}

TEST_F(PusherTest, gathers_tips_between_pushes_that_are_not_full) {
  use({.batch = 4, .gather = ms(40)});
  pusher.onCursor(LaneSeq{0});
  commit(1, 1);
  apply();  // the first one goes at once
  commit(2, 3);
  EXPECT_EQ(wants<Pusher::WaitUntil>().time, now + ms(40));
  now = now + ms(39);
  wants<Pusher::WaitUntil>();
  now = now + ms(1);
  expectPush(2, 3);
}

TEST_F(PusherTest, does_not_wait_for_more_when_a_batch_is_full) {
  use({.batch = 4, .gather = ms(40)});
  pusher.onCursor(LaneSeq{0});
  commit(1, 1);
  apply();
  commit(2, 6);
  expectPush(2, 5);
}

TEST_F(PusherTest, a_clock_that_went_back_does_not_lengthen_the_gathering) {
  use({.batch = 4, .gather = ms(40)});
  pusher.onCursor(LaneSeq{0});
  commit(1, 1);
  apply();
  commit(2, 2);
  now = now - ms(3'600'000);
  EXPECT_EQ(wants<Pusher::WaitUntil>().time, now + ms(40));
}

TEST_F(PusherTest, follows_what_is_committed_from_memory_alone) {
  pusher.onCursor(LaneSeq{0});
  wants<Pusher::Idle>();
  for (std::int64_t seq = 1; seq <= 30; seq += 3) {
    commit(seq, seq + 2);
    expectPush(seq, seq + 2);
    apply();
    wants<Pusher::Idle>();
  }
}

TEST_F(PusherTest, tips_committed_during_a_push_go_with_the_next_one) {
  pusher.onCursor(LaneSeq{0});
  commit(1, 2);
  expectPush(1, 2);
  commit(3, 4);
  commit(5, 5);
  answer(BatchStatus::applied, 2);
  expectPush(3, 5);
  apply();
  wants<Pusher::Idle>();
}

TEST_F(PusherTest, nothing_committed_is_nothing_to_do) {
  pusher.onCommitted({});
  pusher.onCursor(LaneSeq{0});
  wants<Pusher::Idle>();
  EXPECT_EQ(pusher.lag(), 0);
}

TEST_F(PusherTest, a_full_memory_is_read_from_the_database_instead_and_followed_again_after) {
  use({.batch = 4, .tail = 6});
  pusher.onCursor(LaneSeq{0});
  commit(1, 5);
  commit(6, 7);  // would make seven
  commit(8, 9);
  expectPush(1, 4);
  apply();
  expectPush(5, 5);
  apply();
  EXPECT_EQ(pusher.lag(), 4);
  const auto load = wants<Pusher::Load>();
  EXPECT_EQ(load.after, LaneSeq{5});
  EXPECT_EQ(load.limit, 4U);
  pusher.onLoaded(tips(6, 9));
  expectPush(6, 9);
  apply();
  wants<Pusher::Idle>();
  commit(10, 11);
  expectPush(10, 11);
}

TEST_F(PusherTest, what_is_committed_beside_a_gap_in_memory_waits_for_the_database) {
  use({.batch = 4, .tail = 4});
  pusher.onCursor(LaneSeq{0});
  commit(1, 6);  // more than memory holds
  expectLoad(0);
  pusher.onLoaded(tips(1, 4));
  commit(7, 8);  // 5 and 6 are not in memory
  expectPush(1, 4);
  apply();
  expectLoad(4);
  pusher.onLoaded(tips(5, 8));
  expectPush(5, 8);
  apply();
  wants<Pusher::Idle>();
}

TEST_F(PusherTest, tips_committed_while_it_reads_are_neither_lost_nor_pushed_twice) {
  use({.batch = 4, .tail = 8});
  pusher.onSeen(LaneSeq{6});
  pusher.onCursor(LaneSeq{2});
  expectLoad(2);
  commit(7, 8);
  pusher.onLoaded(tips(3, 6));
  expectPush(3, 6);
  apply();
  expectLoad(6);
  pusher.onLoaded(tips(7, 8));
  expectPush(7, 8);
  apply();
  wants<Pusher::Idle>();
}

TEST_F(PusherTest, takes_a_lane_over_where_finance_stands) {
  pusher.onSeen(LaneSeq{9});
  EXPECT_EQ(pusher.lag(), 9);
  wants<Pusher::AskCursor>();
  pusher.onCursor(LaneSeq{7});
  EXPECT_EQ(pusher.lag(), 2);
  expectLoad(7);
  pusher.onLoaded(tips(8, 9));
  expectPush(8, 9);
  apply();
  wants<Pusher::Idle>();
}

TEST_F(PusherTest, a_lane_that_is_settled_already_is_left_alone) {
  pusher.onSeen(LaneSeq{9});
  pusher.onCursor(LaneSeq{9});
  wants<Pusher::Idle>();
  // The last statement of a process that is gone commits after all.
  pusher.onSeen(LaneSeq{11});
  expectLoad(9);
  pusher.onLoaded(tips(10, 11));
  expectPush(10, 11);
}

TEST_F(PusherTest, seeing_less_than_it_knows_of_takes_nothing_back) {
  pusher.onCursor(LaneSeq{0});
  commit(1, 5);
  pusher.onSeen(LaneSeq{3});
  EXPECT_EQ(pusher.lag(), 5);
  expectPush(1, 5);
}

TEST_F(PusherTest, goes_on_from_memory_when_finance_is_ahead_within_it) {
  commit(1, 8);
  pusher.onCursor(LaneSeq{3});
  expectPush(4, 8);
  answer(BatchStatus::conflict, 6);
  EXPECT_EQ(pusher.cursor(), LaneSeq{6});
  expectPush(7, 8);
}

TEST_F(PusherTest, is_done_when_another_has_pushed_everything) {
  commit(1, 8);
  pusher.onCursor(LaneSeq{0});
  expectPush(1, 8);
  answer(BatchStatus::conflict, 8);
  wants<Pusher::Idle>();
  EXPECT_EQ(pusher.lag(), 0);
  commit(9, 9);
  expectPush(9, 9);
}

TEST_F(PusherTest, reads_from_the_database_when_finance_is_behind_what_it_still_holds) {
  pusher.onCursor(LaneSeq{0});
  commit(1, 4);
  apply();
  commit(5, 8);
  expectPush(5, 8);
  answer(BatchStatus::conflict, 2);
  expectLoad(2);
  pusher.onLoaded(tips(3, 8));
  expectPush(3, 8);
}

TEST_F(PusherTest, waits_a_fixed_while_when_held_back_and_pushes_the_same_again) {
  use({.heldBackPause = ms(200)});
  pusher.onCursor(LaneSeq{0});
  commit(1, 3);
  for (int times = 0; times < 3; ++times) {
    expectPush(1, 3);
    answer(BatchStatus::heldBack);
    EXPECT_EQ(wants<Pusher::WaitUntil>().time, now + ms(200));
    now = now + ms(200) - Duration{1};
    wants<Pusher::WaitUntil>();
    now = now + Duration{1};
  }
  expectPush(1, 3);
  EXPECT_EQ(pusher.cursor(), LaneSeq{0});
}

TEST_F(PusherTest, after_a_failure_asks_where_finance_stands_because_it_may_have_applied) {
  for (const auto status : {BatchStatus::failed, BatchStatus::unknown}) {
    SCOPED_TRACE(static_cast<int>(status));
    pusher = Pusher(kLane, {});
    pusher.onCursor(LaneSeq{0});
    commit(1, 3);
    expectPush(1, 3);
    answer(status);
    now = wants<Pusher::WaitUntil>().time;
    wants<Pusher::AskCursor>();
    pusher.onCursor(LaneSeq{3});
    wants<Pusher::Idle>();
  }
}

TEST_F(PusherTest, pauses_twice_as_long_after_each_failure_up_to_a_bound) {
  use({.firstPause = ms(50), .longestPause = ms(300)});
  commit(1, 1);
  for (const std::int64_t pause : {50, 100, 200, 300, 300}) {
    wants<Pusher::AskCursor>();
    pusher.onFailed(now);
    EXPECT_EQ(wants<Pusher::WaitUntil>().time, now + ms(pause));
    now = now + ms(pause) - Duration{1};
    wants<Pusher::WaitUntil>();
    now = now + Duration{1};
  }
}

TEST_F(PusherTest, the_first_success_makes_the_next_pause_short_again) {
  use({.firstPause = ms(50), .longestPause = ms(300)});
  commit(1, 1);
  for (int times = 0; times < 3; ++times) {
    pusher.onFailed(now);
    now = wants<Pusher::WaitUntil>().time;
  }
  pusher.onCursor(LaneSeq{0});
  apply();
  commit(2, 2);
  expectPush(2, 2);
  pusher.onFailed(now);
  EXPECT_EQ(wants<Pusher::WaitUntil>().time, now + ms(50));
}

TEST_F(PusherTest, a_failure_loses_nothing_that_is_committed_meanwhile) {
  pusher.onCursor(LaneSeq{0});
  commit(1, 2);
  expectPush(1, 2);
  pusher.onFailed(now);
  commit(3, 4);
  now = wants<Pusher::WaitUntil>().time;
  wants<Pusher::AskCursor>();
  pusher.onCursor(LaneSeq{2});
  expectPush(3, 4);
}

TEST_F(PusherTest, a_committed_tip_that_the_database_does_not_have_is_a_broken_invariant) {
  const auto adopt = [&] {
    pusher = Pusher(kLane, {});
    pusher.onSeen(LaneSeq{9});
    pusher.onCursor(LaneSeq{5});
    expectLoad(5);
  };
  adopt();
  EXPECT_THROW(pusher.onLoaded({}), BrokenInvariant);
  adopt();
  EXPECT_THROW(pusher.onLoaded(tips(7, 9)), BrokenInvariant) << "the first is missing";
  adopt();
  EXPECT_THROW(pusher.onLoaded({tip(6), tip(8)}), BrokenInvariant) << "one between is missing";
  adopt();
  EXPECT_THROW(pusher.onLoaded({tip(6), tip(6)}), BrokenInvariant) << "one is there twice";
  adopt();
  EXPECT_THROW(pusher.onLoaded(tips(5, 7)), BrokenInvariant) << "one is settled already";
  adopt();
  EXPECT_THROW(pusher.onLoaded({tip(6), tip(7, LaneId{5})}), BrokenInvariant) << "another lane's";

  // The last is missing: seen when its turn comes.
  adopt();
  pusher.onLoaded(tips(6, 8));
  expectPush(6, 8);
  apply();
  expectLoad(8);
  EXPECT_THROW(pusher.onLoaded({}), BrokenInvariant);
}

TEST_F(PusherTest, pushes_nothing_of_what_it_refused_to_take_from_the_database) {
  pusher.onSeen(LaneSeq{9});
  pusher.onCursor(LaneSeq{5});
  expectLoad(5);
  EXPECT_THROW(pusher.onLoaded({tip(6), tip(8)}), BrokenInvariant);
  expectLoad(5);
}

// At random -----------------------------------------------------------------------------------

// What finance makes of pushes: a cursor, and the ledger behind it.
struct Finance {
  LaneSeq cursor{};
  std::vector<LedgerTip> ledger;

  finance::BatchAnswer apply(const Pusher::Push& push) {
    if (push.from.value != cursor.value + 1) return {BatchStatus::conflict, cursor};
    EXPECT_EQ(push.to.value - push.from.value + 1, static_cast<std::int64_t>(push.tips.size()));
    ledger.insert(ledger.end(), push.tips.begin(), push.tips.end());
    cursor = push.to;
    return {BatchStatus::applied, cursor};
  }
};

// A lane's tips in DB1, moved by its own pusher and, from time to time, by another that adopted it
// too soon; finance fails before and after it applied, holds back, and answers late.
class Sync {
 public:
  explicit Sync(std::uint64_t seed) : random_(seed) { start(0); }

  void run(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) step();
    // When traffic stops and nothing fails any more, ledger = tips (I4).
    healed_ = true;
    for (int i = 0; i < 10'000 && !resting() && !testing::Test::HasFailure(); ++i) {
      act(0);
      act(1);
      now_ = now_ + ms(100);
      audit();
    }
    ASSERT_TRUE(resting()) << "the pushers do not come to rest";
    ASSERT_EQ(finance_.ledger.size(), db1_.size());
    ASSERT_EQ(finance_.cursor.value, static_cast<std::int64_t>(db1_.size()));
    ASSERT_EQ(pushers_[0].lag(), 0);
    // A run that never came near what it is about proves nothing.
    ASSERT_GT(db1_.size(), 500U);
    ASSERT_GT(loads_, 0);
    ASSERT_GT(conflicts_, 0);
    ASSERT_GT(fromMemory_, 0);
  }

 private:
  void start(std::size_t i) {
    PusherLimits limits;
    limits.batch = 1 + random_.below(8);
    limits.tail = limits.batch + random_.below(12);
    if (pushers_.size() <= i) {
      pushers_.emplace_back(kLane, limits);
    } else {
      pushers_[i] = Pusher(kLane, limits);
    }
    pushers_[i].onSeen(LaneSeq{static_cast<std::int64_t>(db1_.size())});
  }

  bool resting() {
    return std::all_of(pushers_.begin(), pushers_.end(), [this](Pusher& p) {
      return std::holds_alternative<Pusher::Idle>(p.next(now_));
    });
  }

  void step() {
    const auto dice = random_.below(100);
    if (dice < 30) {
      commitSome();
    } else if (dice < 40) {
      now_ = now_ + ms(static_cast<std::int64_t>(random_.below(300)));
    } else if (dice == 40) {
      start(0);  // restarted, with nothing in memory
    } else if (dice < 43) {
      start(1);
    } else if (dice < 85) {
      act(0);
    } else {
      act(1);
    }
    audit();
  }

  void commitSome() {
    const auto first = static_cast<std::int64_t>(db1_.size()) + 1;
    const auto some = tips(first, first + static_cast<std::int64_t>(random_.below(5)));
    db1_.insert(db1_.end(), some.begin(), some.end());
    pushers_[0].onCommitted(some);
    for (std::size_t i = 1; i < pushers_.size(); ++i) {
      pushers_[i].onSeen(LaneSeq{static_cast<std::int64_t>(db1_.size())});
    }
  }

  void act(std::size_t i) {
    if (i >= pushers_.size()) return;
    auto& pusher = pushers_[i];
    const auto action = pusher.next(now_);
    const auto dice = healed_ ? 99 : random_.below(100);
    if (std::holds_alternative<Pusher::AskCursor>(action)) {
      if (dice < 15) return pusher.onFailed(now_);
      return pusher.onCursor(finance_.cursor);
    }
    if (const auto* load = std::get_if<Pusher::Load>(&action)) {
      if (dice < 15) return pusher.onFailed(now_);
      ++loads_;
      const auto from = static_cast<std::size_t>(load->after.value);
      ASSERT_LT(from, db1_.size()) << "asks for tips that were never committed";
      const auto count = std::min(load->limit, db1_.size() - from);
      const auto begin = db1_.begin() + static_cast<std::ptrdiff_t>(from);
      return pusher.onLoaded({begin, begin + static_cast<std::ptrdiff_t>(count)});
    }
    const auto* push = std::get_if<Pusher::Push>(&action);
    if (push == nullptr) return;
    ++fromMemory_;
    if (dice < 8) return pusher.onAnswer({BatchStatus::heldBack, {}}, now_);
    if (dice < 16) return pusher.onAnswer({BatchStatus::failed, {}}, now_);
    if (dice < 20) return pusher.onFailed(now_);
    if (dice < 30 && !healed_) commitSome();  // while the push is on its way
    const auto answer = finance_.apply(*push);
    if (dice < 40) return pusher.onAnswer({BatchStatus::unknown, {}}, now_);
    if (dice < 45) return pusher.onFailed(now_);
    if (answer.status == BatchStatus::conflict) ++conflicts_;
    pusher.onAnswer(answer, now_);
  }

  // I4, I5: the ledger is a prefix of the lane, field for field, and the cursor is its end.
  void audit() {
    ASSERT_GE(finance_.cursor, lastCursor_) << "the cursor went back";
    lastCursor_ = finance_.cursor;
    ASSERT_EQ(finance_.cursor.value, static_cast<std::int64_t>(finance_.ledger.size()));
    ASSERT_LE(finance_.ledger.size(), db1_.size());
    for (; audited_ < finance_.ledger.size(); ++audited_) {
      ASSERT_TRUE(sameTip(finance_.ledger[audited_], db1_[audited_])) << audited_;
    }
    for (const auto& pusher : pushers_) {
      // Never believes more to be settled than is.
      ASSERT_LE(pusher.cursor().value_or(LaneSeq{}), finance_.cursor);
    }
  }

  SeededRandom random_;
  Time now_ = kNow;
  std::vector<LedgerTip> db1_;
  Finance finance_;
  std::vector<Pusher> pushers_;
  LaneSeq lastCursor_{};
  std::size_t audited_ = 0;
  int loads_ = 0;
  int conflicts_ = 0;
  int fromMemory_ = 0;
  bool healed_ = false;
};

TEST(Sync, moves_every_tip_once_and_in_order_whatever_fails_and_whoever_else_pushes) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Sync sync(seed);
    sync.run(3'000);
    if (HasFailure()) return;
  }
}

TEST_F(PusherTest, knows_when_the_oldest_tip_that_waits_was_accepted) {
  EXPECT_EQ(pusher.oldestWaiting(), std::nullopt);
  commit(1, 5);
  EXPECT_EQ(pusher.oldestWaiting(), tip(1).acceptedAt);
  use({.batch = 3});
  commit(1, 5);
  pusher.onCursor(LaneSeq{0});
  apply();
  EXPECT_EQ(pusher.oldestWaiting(), tip(4).acceptedAt);
  apply();
  EXPECT_EQ(pusher.oldestWaiting(), std::nullopt);
}

TEST_F(PusherTest, takes_no_tip_that_waits_in_the_database_alone_for_younger_than_it_is) {
  use({.batch = 3, .tail = 3});
  commit(1, 3);
  commit(4, 4);  // beyond the tail
  pusher.onCursor(LaneSeq{0});
  apply();
  pusher.onFailed(now);
  commit(5, 5);
  EXPECT_EQ(pusher.lag(), 2);
  EXPECT_EQ(pusher.oldestWaiting(), tip(3).acceptedAt);
}

}  // namespace
}  // namespace tipflow::audience
