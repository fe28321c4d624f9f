#include "finance/ledger_receiver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>

#include "base/random.h"

namespace tipflow::finance {
namespace {

using Wide = __int128;

constexpr LaneId kLane{12};
// 08:30 UTC, so that an hour begins half an hour later.
constexpr Time kNow{20'484 * kUsPerDay + 17 * kUsPerHour / 2};
constexpr AnchorId kAnna{31};
constexpr AnchorId kBob{32};

LedgerTip tip(std::int64_t seq, AnchorId anchor, std::int64_t amountFen, Time acceptedAt = kNow) {
  LedgerTip made;
  made.id = tipIdOf(kLane, LaneSeq{seq});
  made.anchor = anchor;
  made.viewer = ViewerId{900 + seq};
  made.amount = Fen{amountFen};
  made.anchorGender = Gender::female;
  made.viewerGender = Gender::male;
  made.acceptedAt = acceptedAt;
  return made;
}

LedgerBatch batchOf(std::vector<LedgerTip> tips) {
  LedgerBatch batch;
  batch.lane = kLane;
  batch.from = tips.empty() ? LaneSeq{1} : seqOf(tips.front().id);
  batch.to = tips.empty() ? LaneSeq{0} : seqOf(tips.back().id);
  batch.tips = std::move(tips);
  return batch;
}

Terms terms(std::vector<ShareRate> platform, std::vector<AnchorRates> anchors = {},
            Time now = kNow) {
  return {now, std::move(platform), std::move(anchors)};
}

const std::vector<ShareRate> kHalf{{Time{0}, BasisPoints{5'000}}};

// Expects the step to be a refusal and gives it back.
LedgerReceiver::Done refusal(const LedgerReceiver::Step& step) {
  const auto* done = std::get_if<LedgerReceiver::Done>(&step);
  EXPECT_NE(done, nullptr);
  return done != nullptr ? *done : LedgerReceiver::Done{};
}

LedgerReceiver::Book booked(const LedgerBatch& batch, const Terms& conditions) {
  const auto step = LedgerReceiver(batch).onTerms(conditions);
  const auto* book = std::get_if<LedgerReceiver::Book>(&step);
  EXPECT_NE(book, nullptr);
  return book != nullptr ? *book : LedgerReceiver::Book{};
}

TEST(LedgerReceiver, moves_the_cursor_first_by_exactly_the_batch) {
  const auto batch = batchOf({tip(7, kAnna, 100), tip(8, kBob, 250)});
  const auto step = LedgerReceiver(batch).start();
  const auto& move = std::get<LedgerReceiver::MoveCursor>(step);
  EXPECT_EQ(move.lane, kLane);
  EXPECT_EQ(move.from, LaneSeq{7});
  EXPECT_EQ(move.to, LaneSeq{8});
  EXPECT_EQ(move.amount, Fen{350});
}

TEST(LedgerReceiver, refuses_a_batch_that_is_not_what_it_says_it_is) {
  std::vector<std::pair<const char*, LedgerBatch>> batches;
  const auto add = [&](const char* what, LedgerBatch batch) {
    batches.emplace_back(what, std::move(batch));
  };
  add("nothing", batchOf({}));

  auto batch = batchOf({tip(1, kAnna, 100)});
  batch.from = LaneSeq{0};
  batch.to = LaneSeq{0};
  batch.tips.front().id = tipIdOf(kLane, LaneSeq{0});
  add("number 0", batch);

  batch = batchOf({tip(1, kAnna, 100)});
  batch.from = LaneSeq{-1};
  batch.to = LaneSeq{-1};
  add("a negative number", batch);

  batch = batchOf({tip(5, kAnna, 100), tip(6, kAnna, 100)});
  batch.to = LaneSeq{4};
  add("a reversed range", batch);

  batch = batchOf({tip(5, kAnna, 100), tip(6, kAnna, 100)});
  batch.to = LaneSeq{7};
  add("fewer tips than the range has", batch);
  batch.to = LaneSeq{5};
  add("more tips than the range has", batch);
  batch.from = LaneSeq{1};
  batch.to = LaneSeq{std::numeric_limits<std::int64_t>::max()};
  add("an endless range", batch);

  add("a hole", batchOf({tip(5, kAnna, 100), tip(6, kAnna, 100), tip(8, kAnna, 100)}));
  batch = batchOf({tip(5, kAnna, 100), tip(7, kAnna, 100), tip(7, kAnna, 100)});
  add("a number twice and a hole", batch);
  batch = batchOf({tip(5, kAnna, 100), tip(7, kAnna, 100), tip(6, kAnna, 100)});
  batch.to = LaneSeq{7};
  add("another order", batch);
  batch = batchOf({tip(5, kAnna, 100), tip(6, kAnna, 100)});
  batch.lane = LaneId{13};
  add("tips of another lane", batch);
  batch = batchOf({tip(5, kAnna, 100), tip(6, kAnna, 100)});
  batch.from = LaneSeq{6};
  batch.to = LaneSeq{7};
  add("numbers beside the range", batch);

  add("an amount of 0", batchOf({tip(5, kAnna, 100), tip(6, kAnna, 0)}));
  add("a negative amount", batchOf({tip(5, kAnna, 100), tip(6, kAnna, -1)}));

  for (const auto& [what, wrong] : batches) {
    SCOPED_TRACE(what);
    const auto done = refusal(LedgerReceiver(wrong).start());
    EXPECT_EQ(done.answer.status, BatchStatus::failed);
    EXPECT_FALSE(done.reason.empty());
  }
}

TEST(LedgerReceiver, a_sum_that_does_not_fit_63_bits_is_never_a_number) {
  const auto most = std::numeric_limits<std::int64_t>::max();
  const auto batch = batchOf({tip(1, kAnna, most), tip(2, kAnna, 1)});
  EXPECT_THROW((void)LedgerReceiver(batch).start(), BrokenInvariant);

  // Each can be split alone; the anchor's credit for both cannot be held.
  const auto large = batchOf({tip(1, kAnna, most / 10'000), tip(2, kAnna, most / 10'000)});
  EXPECT_THROW((void)LedgerReceiver(large).onTerms(terms({{Time{0}, kWholeShare}})),
               BrokenInvariant);
}

TEST(LedgerReceiver, an_amount_that_cannot_be_split_settles_nothing_of_the_batch) {
  const auto most = std::numeric_limits<std::int64_t>::max();
  const auto batch = batchOf({tip(1, kAnna, 100), tip(2, kAnna, most / 10'000 + 1)});
  const auto done = refusal(LedgerReceiver(batch).onTerms(terms(kHalf)));
  EXPECT_EQ(done.answer.status, BatchStatus::failed);
}

TEST(LedgerReceiver, asks_for_the_rates_of_each_anchor_once_and_in_order) {
  const auto batch = batchOf({tip(1, AnchorId{9}, 1), tip(2, AnchorId{3}, 1),
                              tip(3, AnchorId{9}, 1), tip(4, AnchorId{5}, 1)});
  const auto step = LedgerReceiver(batch).onCursorMoved(1);
  const std::vector<AnchorId> expected{AnchorId{3}, AnchorId{5}, AnchorId{9}};
  EXPECT_EQ(std::get<LedgerReceiver::ReadTerms>(step).anchors, expected);
}

TEST(LedgerReceiver, when_the_cursor_stands_elsewhere_it_answers_where) {
  const auto batch = batchOf({tip(7, kAnna, 100)});
  const LedgerReceiver receiver(batch);
  for (const std::int64_t matched : {0, 2}) {
    const auto step = receiver.onCursorMoved(matched);
    EXPECT_EQ(std::get<LedgerReceiver::ReadCursor>(step).lane, kLane) << matched;
  }
  for (const std::int64_t cursor : {0, 3, 7, 20}) {
    const auto done = refusal(receiver.onCursorRead(LaneSeq{cursor}));
    EXPECT_EQ(done.answer.status, BatchStatus::conflict);
    EXPECT_EQ(done.answer.cursor, LaneSeq{cursor});
  }
}

TEST(LedgerReceiver, books_every_tip_as_it_came_with_its_rate_and_its_units) {
  const auto batch = batchOf({tip(7, kAnna, 100), tip(8, kBob, 250, kNow - Duration{1})});
  const auto book = booked(batch, terms(kHalf, {{kBob, {{Time{0}, BasisPoints{7'000}}}}}));
  EXPECT_EQ(book.settledAt, kNow);
  ASSERT_EQ(book.rows.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(book.rows[i].tip.id, batch.tips[i].id);
    EXPECT_EQ(book.rows[i].tip.anchor, batch.tips[i].anchor);
    EXPECT_EQ(book.rows[i].tip.viewer, batch.tips[i].viewer);
    EXPECT_EQ(book.rows[i].tip.amount, batch.tips[i].amount);
    EXPECT_EQ(book.rows[i].tip.anchorGender, batch.tips[i].anchorGender);
    EXPECT_EQ(book.rows[i].tip.viewerGender, batch.tips[i].viewerGender);
    EXPECT_EQ(book.rows[i].tip.acceptedAt, batch.tips[i].acceptedAt);
  }
  EXPECT_EQ(book.rows[0].rate, BasisPoints{5'000});
  EXPECT_EQ(book.rows[0].anchorUnits, Units{500'000});
  EXPECT_EQ(book.rows[1].rate, BasisPoints{7'000});
  EXPECT_EQ(book.rows[1].anchorUnits, Units{1'750'000});
}

TEST(LedgerReceiver, uses_the_rate_in_force_when_the_tip_was_accepted_to_the_microsecond) {
  const Time change = kNow - Duration{60 * kUsPerSecond};
  const std::vector<ShareRate> own{{Time{0}, BasisPoints{4'000}}, {change, BasisPoints{8'000}}};
  const auto batch = batchOf({tip(1, kAnna, 1, change - Duration{1}), tip(2, kAnna, 1, change),
                              tip(3, kAnna, 1, change + Duration{1})});
  // Settled a day late: the rate of then counts all the same.
  const auto book = booked(batch, terms(kHalf, {{kAnna, own}}, kNow + Duration{kUsPerDay}));
  ASSERT_EQ(book.rows.size(), 3U);
  EXPECT_EQ(book.rows[0].rate, BasisPoints{4'000});
  EXPECT_EQ(book.rows[1].rate, BasisPoints{8'000});
  EXPECT_EQ(book.rows[2].rate, BasisPoints{8'000});
}

TEST(LedgerReceiver, before_an_anchors_first_rate_the_platforms_of_that_instant_counts) {
  const Time platformChange = kNow - Duration{120 * kUsPerSecond};
  const Time firstOwn = kNow - Duration{60 * kUsPerSecond};
  const std::vector<ShareRate> platform{{Time{0}, BasisPoints{5'000}},
                                        {platformChange, BasisPoints{6'000}}};
  const auto batch = batchOf(
      {tip(1, kAnna, 1, platformChange - Duration{1}), tip(2, kAnna, 1, platformChange),
       tip(3, kAnna, 1, firstOwn - Duration{1}), tip(4, kAnna, 1, firstOwn), tip(5, kBob, 1)});
  const auto book = booked(batch, terms(platform, {{kAnna, {{firstOwn, BasisPoints{9'000}}}}}));
  ASSERT_EQ(book.rows.size(), 5U);
  EXPECT_EQ(book.rows[0].rate, BasisPoints{5'000});
  EXPECT_EQ(book.rows[1].rate, BasisPoints{6'000});
  EXPECT_EQ(book.rows[2].rate, BasisPoints{6'000});
  EXPECT_EQ(book.rows[3].rate, BasisPoints{9'000});
  EXPECT_EQ(book.rows[4].rate, BasisPoints{6'000});
}

TEST(LedgerReceiver, settles_nothing_by_a_guessed_rate) {
  const auto batch = batchOf({tip(1, kAnna, 1), tip(2, kAnna, 1)});
  EXPECT_EQ(refusal(LedgerReceiver(batch).onTerms(terms({}))).answer.status, BatchStatus::failed);
  const auto late = terms({{kNow + Duration{1}, BasisPoints{5'000}}});
  EXPECT_EQ(refusal(LedgerReceiver(batch).onTerms(late)).answer.status, BatchStatus::failed);
  const auto inTime = terms({{kNow, BasisPoints{5'000}}});
  EXPECT_EQ(booked(batch, inTime).rows.size(), 2U);
}

TEST(LedgerReceiver, holds_a_batch_back_while_one_of_its_tips_is_ahead_of_the_clock) {
  const auto batch = batchOf(
      {tip(1, kAnna, 1), tip(2, kAnna, 1, kNow + kClockAllowance + Duration{1}), tip(3, kAnna, 1)});
  const auto done = refusal(LedgerReceiver(batch).onTerms(terms(kHalf)));
  EXPECT_EQ(done.answer.status, BatchStatus::heldBack);
  EXPECT_FALSE(done.reason.empty());

  const auto book = booked(batch, terms(kHalf, {}, kNow + Duration{1}));
  EXPECT_EQ(book.rows.size(), 3U);
}

TEST(LedgerReceiver, credits_each_anchor_once_in_order_and_sums_each_hour_and_rate) {
  const Time change = kNow - Duration{600 * kUsPerSecond};
  const Time nextHour{kNow.us + kUsPerHour / 2};
  const auto batch = batchOf({tip(1, kBob, 10, nextHour), tip(2, kAnna, 100),
                              tip(3, kAnna, 7, change - Duration{1}),
                              tip(4, kBob, 20, nextHour - Duration{1}), tip(5, kAnna, 1)});
  const std::vector<ShareRate> anna{{Time{0}, BasisPoints{1'000}}, {change, BasisPoints{3'333}}};
  const auto book = booked(batch, terms(kHalf, {{kAnna, anna}}, nextHour));

  ASSERT_EQ(book.credits.size(), 2U);
  EXPECT_EQ(book.credits[0].anchor, kAnna);
  EXPECT_EQ(book.credits[0].units, Units{101 * 3'333 + 7 * 1'000});
  EXPECT_EQ(book.credits[1].anchor, kBob);
  EXPECT_EQ(book.credits[1].units, Units{30 * 5'000});

  const auto expectSum = [&](std::size_t i, AnchorId anchor, Time hour, std::int32_t rate,
                             std::int64_t tips, std::int64_t fen) {
    SCOPED_TRACE(i);
    EXPECT_EQ(book.sums[i].anchor, anchor);
    EXPECT_EQ(book.sums[i].hour, hour);
    EXPECT_EQ(book.sums[i].rate, BasisPoints{rate});
    EXPECT_EQ(book.sums[i].tips, tips);
    EXPECT_EQ(book.sums[i].amount, Fen{fen});
    EXPECT_EQ(book.sums[i].anchorUnits, Units{fen * rate});
  };
  ASSERT_EQ(book.sums.size(), 4U);
  expectSum(0, kAnna, startOfHour(kNow), 1'000, 1, 7);
  expectSum(1, kAnna, startOfHour(kNow), 3'333, 2, 101);
  expectSum(2, kBob, startOfHour(kNow), 5'000, 1, 20);
  expectSum(3, kBob, nextHour, 5'000, 1, 10);
}

TEST(LedgerReceiver, ends_with_what_is_known_and_no_more) {
  const auto batch = batchOf({tip(7, kAnna, 100), tip(8, kAnna, 100)});
  const LedgerReceiver receiver(batch);
  const auto applied = refusal(receiver.onCommitted());
  EXPECT_EQ(applied.answer.status, BatchStatus::applied);
  EXPECT_EQ(applied.answer.cursor, LaneSeq{8});
  const auto rolledBack = refusal(receiver.onRolledBack("deadlock"));
  EXPECT_EQ(rolledBack.answer.status, BatchStatus::failed);
  EXPECT_EQ(rolledBack.reason, "deadlock");
  const auto unknown = refusal(receiver.onUnknown("connection lost"));
  EXPECT_EQ(unknown.answer.status, BatchStatus::unknown);
  EXPECT_EQ(unknown.reason, "connection lost");
}

// What an auditor adds up from the same tips and rates, in 128 bits and by the letter of the rule:
// the newest rate that started at or before acceptedAt, the anchor's own before the platform's.
struct Audit {
  std::map<std::int64_t, Wide> credits;
  std::map<std::tuple<std::int64_t, std::int64_t, std::int32_t>, std::tuple<Wide, Wide, Wide>> sums;

  friend bool operator==(const Audit&, const Audit&) = default;
};

BasisPoints newest(const std::vector<ShareRate>& rates, Time at, BasisPoints otherwise) {
  for (const auto& rate : rates) {
    if (rate.effectiveFrom <= at) otherwise = rate.rate;
  }
  return otherwise;
}

Audit audited(const std::vector<LedgerTip>& tips, const Terms& conditions) {
  Audit audit;
  for (const auto& one : tips) {
    auto rate = newest(conditions.platformRates, one.acceptedAt, BasisPoints{-1});
    for (const auto& entry : conditions.anchorRates) {
      if (entry.anchor == one.anchor) rate = newest(entry.rates, one.acceptedAt, rate);
    }
    const Wide units = Wide{one.amount.value} * rate.value;
    audit.credits[one.anchor.value] += units;
    const auto hour = one.acceptedAt.us - one.acceptedAt.us % 3'600'000'000;
    auto& [count, amount, anchorUnits] = audit.sums[{one.anchor.value, hour, rate.value}];
    count += 1;
    amount += one.amount.value;
    anchorUnits += units;
  }
  return audit;
}

void add(Audit& audit, const LedgerReceiver::Book& book) {
  for (const auto& credit : book.credits) audit.credits[credit.anchor.value] += credit.units.value;
  for (const auto& sum : book.sums) {
    auto& [count, amount, units] = audit.sums[{sum.anchor.value, sum.hour.us, sum.rate.value}];
    count += sum.tips;
    amount += sum.amount.value;
    units += sum.anchorUnits.value;
  }
}

struct History {
  std::vector<LedgerTip> tips;
  Terms conditions;
};

// Three hours of tips for a few anchors whose rates, and the platform's, change now and then.
History randomHistory(SeededRandom& random) {
  History history;
  const auto someTime = [&] {
    return Time{kNow.us - static_cast<std::int64_t>(random.below(3 * kUsPerHour))};
  };
  const auto someRates = [&](std::uint64_t most) {
    std::vector<ShareRate> rates;
    for (auto left = random.below(most + 1); left > 0; --left) {
      rates.push_back({someTime(), BasisPoints{static_cast<std::int32_t>(random.below(10'001))}});
    }
    std::stable_sort(rates.begin(), rates.end(), [](const ShareRate& a, const ShareRate& b) {
      return a.effectiveFrom < b.effectiveFrom;
    });
    return rates;
  };
  history.conditions.now = kNow;
  history.conditions.platformRates = someRates(2);
  history.conditions.platformRates.insert(history.conditions.platformRates.begin(),
                                          {Time{0}, BasisPoints{5'000}});
  const auto anchors = 1 + random.below(6);
  for (std::uint64_t anchor = 1; anchor <= anchors; ++anchor) {
    if (random.below(4) == 0) continue;  // has none of its own
    history.conditions.anchorRates.push_back(
        {AnchorId{static_cast<std::int64_t>(anchor)}, someRates(4)});
  }
  const auto count = 1 + random.below(200);
  for (std::uint64_t seq = 1; seq <= count; ++seq) {
    // Some exactly at a change, where a wrong comparison would show.
    Time at = someTime();
    const auto& rates = history.conditions.platformRates;
    if (random.below(5) == 0 && rates.size() > 1) at = rates.back().effectiveFrom;
    history.tips.push_back(tip(static_cast<std::int64_t>(seq),
                               AnchorId{static_cast<std::int64_t>(1 + random.below(anchors))},
                               static_cast<std::int64_t>(1 + random.below(100'000'000)), at));
  }
  return history;
}

TEST(LedgerReceiver, books_agree_with_an_independent_addition_for_every_batch_size) {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(seed);
    SeededRandom random(seed);
    const auto history = randomHistory(random);
    const auto expected = audited(history.tips, history.conditions);
    for (const std::size_t size : {std::size_t{1}, std::size_t{7}, history.tips.size()}) {
      Audit books;
      for (std::size_t at = 0; at < history.tips.size(); at += size) {
        const auto end = std::min(at + size, history.tips.size());
        const auto batch = batchOf({history.tips.begin() + static_cast<std::ptrdiff_t>(at),
                                    history.tips.begin() + static_cast<std::ptrdiff_t>(end)});
        const auto book = booked(batch, history.conditions);
        ASSERT_EQ(book.rows.size(), batch.tips.size());
        Wide platformUnits = 0;
        Wide anchorUnits = 0;
        Wide amount = 0;
        for (const auto& row : book.rows) {
          const Wide whole = Wide{row.tip.amount.value} * 10'000;
          ASSERT_EQ(Wide{row.anchorUnits.value}, Wide{row.tip.amount.value} * row.rate.value);
          ASSERT_GE(row.anchorUnits.value, 0);
          ASSERT_LE(Wide{row.anchorUnits.value}, whole);
          anchorUnits += row.anchorUnits.value;
          platformUnits += whole - row.anchorUnits.value;
          amount += row.tip.amount.value;
        }
        ASSERT_TRUE(anchorUnits + platformUnits == amount * 10'000);
        ASSERT_TRUE(
            std::is_sorted(book.credits.begin(), book.credits.end(),
                           [](const Credit& a, const Credit& b) { return a.anchor < b.anchor; }));
        ASSERT_TRUE(
            std::is_sorted(book.sums.begin(), book.sums.end(),
                           [](const HourSum& a, const HourSum& b) { return a.anchor < b.anchor; }));
        add(books, book);
      }
      ASSERT_TRUE(books == expected) << "batches of " << size;
    }
  }
}

}  // namespace
}  // namespace tipflow::finance
