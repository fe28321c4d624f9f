// The tips' and lanes' tables on both databases: what was given is kept once and found again, pages
// have no gap, and the sums of a lane are those of its rows.
#include "audience/tip_store.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <tuple>

#include "base/random.h"
#include "store/database.h"

namespace tipflow::audience::store {
namespace {

using fixture::number;
using fixture::rows;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Time kNow{1'770'000'000'123'456};
constexpr LaneId kLane{12};
constexpr Duration kLease{10 * kUsPerSecond};
constexpr Duration kRunOut{-1};

TraceId traceOf(LaneId lane, std::int64_t seq) {
  return {0x0192f3a4b5c67d8e, static_cast<std::uint64_t>(tipIdOf(lane, LaneSeq{seq}).value)};
}

NumberedTip numbered(LaneId lane, std::int64_t seq, std::int64_t amountFen = 100,
                     Time acceptedAt = kNow) {
  NumberedTip made;
  made.id = tipIdOf(lane, LaneSeq{seq});
  made.acceptedAt = acceptedAt;
  made.tip.traceId = traceOf(lane, seq);
  made.tip.viewer = ViewerId{900 + seq};
  made.tip.room = RoomId{1'000'031};
  made.tip.anchor = AnchorId{31};
  made.tip.session = SessionId{5};
  made.tip.amount = Fen{amountFen};
  made.tip.anchorGender = Gender::female;
  made.tip.viewerGender = Gender::male;
  return made;
}

auto fields(const NumberedTip& tip) {
  const auto& t = tip.tip;
  return std::tuple(tip.id, tip.acceptedAt, t.traceId, t.viewer, t.room, t.anchor, t.session,
                    t.amount, t.giftId, t.count, t.anchorGender, t.viewerGender, t.message);
}

std::vector<TipId> idsOf(const std::vector<NumberedTip>& tips) {
  std::vector<TipId> ids;
  for (const auto& tip : tips) ids.push_back(tip.id);
  return ids;
}

class TipStore : public ::testing::TestWithParam<fixture::Engine> {
 protected:
  void insert(const std::vector<NumberedTip>& tips) { insertTips(*c, tips); }
  /// Tips `from`..`to` of the lane, 100 fen, 101 fen … each.
  void fill(LaneId lane, std::int64_t from, std::int64_t to, Time acceptedAt = kNow) {
    std::vector<NumberedTip> tips;
    for (auto seq = from; seq <= to; ++seq) {
      tips.push_back(numbered(lane, seq, 99 + seq, acceptedAt + Duration{seq}));
    }
    insert(tips);
  }
  std::int64_t tipCount() { return number(*c, "SELECT COUNT(*) FROM tip"); }

  fixture::TestDatabase database{GetParam(), "db1"};
  std::unique_ptr<db::Connection> c = database.connect();
};
TIPFLOW_ON_BOTH(TipStore);

// Tips --------------------------------------------------------------------------------------------

TEST_P(TipStore, keeps_every_field_of_a_tip) {
  auto plain = numbered(kLane, 1, 1);
  auto rich = numbered(LaneId{kLaneEnd - 1}, kLaneSeqEnd - 1, 100'000'000, kNow + Duration{1});
  rich.tip.traceId = {~0ULL, ~0ULL};
  rich.tip.viewer = ViewerId{kIdEnd - 1};
  rich.tip.giftId = 1'000'000;
  rich.tip.count = 9'999;
  rich.tip.anchorGender = Gender::unknown;
  rich.tip.viewerGender = Gender::female;
  rich.tip.message = "为你打call '\"\\ 🎁 ?";
  insert({plain, rich});
  EXPECT_EQ(fields(*tipByTrace(*c, plain.tip.traceId)), fields(plain));
  EXPECT_EQ(fields(*tipByTrace(*c, rich.tip.traceId)), fields(rich));
  EXPECT_EQ(tipCount(), 2);
}

TEST_P(TipStore, takes_a_statement_of_a_thousand_tips_with_the_longest_messages) {
  std::vector<NumberedTip> tips;
  std::string longest;
  for (int i = 0; i < 200; ++i) longest += "🎁";
  for (int seq = 1; seq <= 1'000; ++seq) {
    tips.push_back(numbered(kLane, seq, seq));
    tips.back().tip.message = longest;
  }
  insert(tips);
  EXPECT_THAT(rows(*c, {"COUNT(*)", "SUM(amount)", "MIN(tip_id)", "MAX(tip_id)"}, "tip"),
              ElementsAre(fmt::format("1000|500500|{}|{}", tipIdOf(kLane, LaneSeq{1}).value,
                                      tipIdOf(kLane, LaneSeq{1'000}).value)));
  EXPECT_EQ(tipByTrace(*c, traceOf(kLane, 777))->tip.message, longest);
}

TEST_P(TipStore, keeps_nothing_of_a_batch_that_holds_a_trace_id_that_is_there) {
  insert({numbered(kLane, 1)});
  auto again = numbered(LaneId{13}, 2);
  again.tip.traceId = traceOf(kLane, 1);
  EXPECT_THROW(insert({numbered(LaneId{13}, 1), again, numbered(LaneId{13}, 3)}), db::DuplicateKey);
  EXPECT_EQ(tipCount(), 1);
  EXPECT_EQ(fields(*tipByTrace(*c, traceOf(kLane, 1))), fields(numbered(kLane, 1)));
  insert({numbered(LaneId{13}, 1), numbered(LaneId{13}, 3)});
  EXPECT_EQ(tipCount(), 3);
}

TEST_P(TipStore, keeps_nothing_of_a_batch_that_holds_a_trace_id_twice) {
  auto again = numbered(kLane, 2);
  again.tip.traceId = traceOf(kLane, 1);
  EXPECT_THROW(insert({numbered(kLane, 1), again}), db::DuplicateKey);
  EXPECT_EQ(tipCount(), 0);
}

TEST_P(TipStore, keeps_nothing_of_a_batch_that_holds_a_number_that_is_taken) {
  insert({numbered(kLane, 2)});
  auto other = numbered(kLane, 2, 555);
  other.tip.traceId = {1, 1};
  EXPECT_THROW(insert({numbered(kLane, 1), other}), db::DuplicateKey);
  EXPECT_THAT(rows(*c, {"tip_id", "amount"}, "tip"),
              ElementsAre(fmt::format("{}|100", tipIdOf(kLane, LaneSeq{2}).value)));
}

TEST_P(TipStore, counts_a_trace_id_once_however_many_lanes_insert_it_at_once) {
  constexpr int kLanes = 8;
  constexpr int kTraces = 40;
  std::atomic<int> created = 0;
  fixture::atOnce(kLanes, [&](int lane) {
    const auto mine = database.connect();
    std::int64_t seq = 1;
    for (int i = 0; i < kTraces; ++i) {
      auto tip = numbered(LaneId{20 + lane}, seq, 100 + i);
      tip.tip.traceId = {7, static_cast<std::uint64_t>(i)};
      try {
        insertTips(*mine, {&tip, 1});
        ++created;
        ++seq;
      } catch (const db::DuplicateKey&) {
      } catch (const db::RolledBack&) {
        --i;  // a deadlock: certainly not written, so again
      }
    }
  });
  EXPECT_EQ(created, kTraces);
  EXPECT_THAT(rows(*c, {"COUNT(*)", "COUNT(DISTINCT trace_id)", "SUM(amount)"}, "tip"),
              ElementsAre(fmt::format("{}|{}|{}", kTraces, kTraces,
                                      100 * kTraces + kTraces * (kTraces - 1) / 2)));
}

TEST_P(TipStore, finds_those_of_many_trace_ids_that_are_there) {
  fill(kLane, 1, 300);
  std::vector<TraceId> wanted;
  for (std::int64_t seq = 201; seq <= 1'200; ++seq) wanted.push_back(traceOf(kLane, seq));
  auto found = idsOf(tipsByTrace(*c, wanted));
  std::sort(found.begin(), found.end());
  ASSERT_EQ(found.size(), 100U);
  EXPECT_EQ(found.front(), tipIdOf(kLane, LaneSeq{201}));
  EXPECT_EQ(found.back(), tipIdOf(kLane, LaneSeq{300}));
  EXPECT_THAT(tipsByTrace(*c, {}), IsEmpty());
  EXPECT_FALSE(tipByTrace(*c, {5, 5}));
}

TEST_P(TipStore, knows_whether_a_number_was_written) {
  insert({numbered(kLane, 2)});
  EXPECT_TRUE(tipExists(*c, tipIdOf(kLane, LaneSeq{2})));
  EXPECT_FALSE(tipExists(*c, tipIdOf(kLane, LaneSeq{1})));
  EXPECT_FALSE(tipExists(*c, tipIdOf(LaneId{13}, LaneSeq{2})));
}

TEST_P(TipStore, lists_any_selection_newest_first_in_pages_without_gap_or_repeat) {
  // Few instants for many tips, and numbers that do not follow time: pages end among equals.
  SeededRandom random(11);
  std::vector<NumberedTip> all;
  for (const std::int64_t lane : {3, 1, 2}) {
    Time at = kNow;
    for (std::int64_t seq = 1; seq <= 30; ++seq) {
      at = at + Duration{static_cast<int>(random.below(4) / 3) * 1'000};
      auto tip = numbered(LaneId{lane}, seq, seq, at);
      tip.tip.viewer = ViewerId{static_cast<std::int64_t>(900 + random.below(3))};
      const auto anchor = static_cast<std::int64_t>(31 + random.below(2));
      tip.tip.anchor = AnchorId{anchor};
      tip.tip.room = RoomId{1'000'000 + anchor};
      all.push_back(tip);
    }
  }
  insert(all);
  std::sort(all.begin(), all.end(), [](const NumberedTip& a, const NumberedTip& b) {
    return std::pair(b.acceptedAt, b.id) < std::pair(a.acceptedAt, a.id);
  });
  const Time middle = kNow + Duration{3'000};
  std::vector<TipFilter> filters(9);  // the first lets all through
  filters[1].room = RoomId{1'000'031};
  filters[2].anchor = AnchorId{32};
  filters[3].viewer = ViewerId{901};
  filters[4].room = RoomId{1'000'032};
  filters[4].viewer = ViewerId{900};
  filters[5].from = middle;
  filters[6].to = middle;
  filters[7].viewer = ViewerId{902};
  filters[7].from = kNow + Duration{1'000};
  filters[7].to = middle;
  filters[8].viewer = ViewerId{7};
  for (const auto& filter : filters) {
    std::vector<TipId> expected;
    for (const auto& tip : all) {
      if ((!filter.room || tip.tip.room == *filter.room) &&
          (!filter.anchor || tip.tip.anchor == *filter.anchor) &&
          (!filter.viewer || tip.tip.viewer == *filter.viewer) &&
          (!filter.from || tip.acceptedAt >= *filter.from) &&
          (!filter.to || tip.acceptedAt < *filter.to)) {
        expected.push_back(tip.id);
      }
    }
    for (const int limit : {1, 2, 7, 100}) {
      std::vector<TipId> seen;
      std::optional<TipPlace> after;
      for (;;) {
        const auto page = tips(*c, filter, after, limit);
        ASSERT_LE(page.size(), static_cast<std::size_t>(limit));
        if (page.empty()) break;
        for (const auto& tip : page) seen.push_back(tip.id);
        after = TipPlace{page.back().acceptedAt, page.back().id};
      }
      EXPECT_EQ(seen, expected) << "pages of " << limit;
    }
  }
}

TEST_P(TipStore, shows_a_reader_of_pages_no_tip_twice_while_new_ones_come) {
  fill(kLane, 1, 10);
  const auto first = tips(*c, {}, std::nullopt, 4);
  fill(kLane, 11, 20);
  const auto second = tips(*c, {}, TipPlace{first.back().acceptedAt, first.back().id}, 100);
  std::vector<std::int64_t> seen;
  for (const auto& page : {first, second}) {
    for (const auto& tip : page) seen.push_back(seqOf(tip.id).value);
  }
  EXPECT_THAT(seen, ElementsAre(10, 9, 8, 7, 6, 5, 4, 3, 2, 1));
}

TEST_P(TipStore, sums_a_session_of_a_room_within_its_time) {
  fill(kLane, 1, 4);  // 100 + 101 + 102 + 103 fen, a microsecond apart
  auto other = numbered(kLane, 5, 1'000, kNow + Duration{2});
  other.tip.session = SessionId{6};
  auto elsewhere = numbered(kLane, 6, 1'000, kNow + Duration{2});
  elsewhere.tip.room = RoomId{1'000'032};
  insert({other, elsewhere});
  const RoomId room{1'000'031};
  const auto sum = [&](Time from, Time until) {
    const auto found = sessionSum(*c, room, SessionId{5}, from, until);
    return std::pair(found.tips, found.amount.value);
  };
  EXPECT_EQ(sum(kNow, kNow + Duration{10}), std::pair(4L, 406L));
  EXPECT_EQ(sum(kNow + Duration{2}, kNow + Duration{3}), std::pair(2L, 203L)) << "both ends";
  EXPECT_EQ(sum(kNow + Duration{20}, kNow + Duration{30}), std::pair(0L, 0L));
}

// Lanes -------------------------------------------------------------------------------------------

TEST_P(TipStore, opens_lanes_with_numbers_of_their_own) {
  std::mutex mutex;
  std::set<LaneId> ids;
  fixture::atOnce(8, [&](int i) {
    const auto mine = database.connect();
    for (int round = 0; round < 5; ++round) {
      const auto id = openLane(*mine, fmt::format("node-{}", i), "process", kLease);
      const std::lock_guard lock(mutex);
      ids.insert(id);
    }
  });
  EXPECT_EQ(ids.size(), 40U);
  EXPECT_GE(ids.begin()->value, 1);
}

TEST_P(TipStore, notes_who_writes_a_lane_and_until_when_by_the_databases_clock) {
  const Time before = c->now();
  const auto id = openLane(*c, "node-1", "process-a", kLease);
  const Time after = c->now();
  EXPECT_THAT(
      rows(*c, {"lane_id", "node", "process", "connection_id", "state", "last_seq"}, "writer_lane"),
      ElementsAre(fmt::format("{}|node-1|process-a|{}|1|NULL", id.value, c->serverId())));
  const Time opened{number(*c, "SELECT opened_at FROM writer_lane")};
  EXPECT_GE(opened, before);
  EXPECT_LE(opened, after);
  EXPECT_EQ(number(*c, "SELECT lease_until - opened_at FROM writer_lane"), kLease.count());
}

TEST_P(TipStore, renews_the_open_lanes_of_one_process) {
  const auto mine = openLane(*c, "node-1", "process-a", kRunOut);
  const auto closed = openLane(*c, "node-1", "process-a", kRunOut);
  const auto other = openLane(*c, "node-2", "process-b", kRunOut);
  setLaneState(*c, closed, LaneState::closed, LaneSeq{0});
  const Time now = c->now();
  renewLanes(*c, "process-a", kLease);
  const auto lease = [&](LaneId lane) {
    return Time{number(
        *c, fmt::format("SELECT lease_until FROM writer_lane WHERE lane_id = {}", lane.value))};
  };
  EXPECT_GE(lease(mine), now + kLease);
  EXPECT_LE(lease(closed), now);
  EXPECT_LE(lease(other), now);
}

TEST_P(TipStore, finds_the_lanes_that_nobody_pushes) {
  openLane(*c, "node-1", "process-now", kRunOut);                      // ours, at work
  const auto earlier = openLane(*c, "node-1", "process-old", kLease);  // of this node's last life
  openLane(*c, "node-2", "process-b", kLease);                         // somebody's, at work
  const auto runOut = openLane(*c, "node-2", "process-c", kRunOut);
  const auto closed = openLane(*c, "node-2", "process-b", kLease);
  const auto ownClosed = openLane(*c, "node-1", "process-now", kLease);
  const auto settled = openLane(*c, "node-2", "process-c", kRunOut);
  setLaneState(*c, closed, LaneState::closed, LaneSeq{3});
  setLaneState(*c, ownClosed, LaneState::closed, LaneSeq{4});
  setLaneState(*c, settled, LaneState::settled, LaneSeq{5});

  auto found = orphanedLanes(*c, "node-1", "process-now");
  std::sort(found.begin(), found.end(),
            [](const LaneRow& a, const LaneRow& b) { return a.id < b.id; });
  std::vector<LaneId> ids;
  for (const auto& lane : found) ids.push_back(lane.id);
  EXPECT_THAT(ids, ElementsAre(earlier, runOut, closed, ownClosed));
  EXPECT_EQ(found[1].node, "node-2");
  EXPECT_EQ(found[1].state, LaneState::open);
  EXPECT_EQ(found[1].connectionId, c->serverId());
  EXPECT_EQ(found[2].state, LaneState::closed);
  EXPECT_THAT(finishedLanes(*c), ElementsAre(closed, ownClosed, settled));
  EXPECT_EQ(
      number(*c, fmt::format("SELECT last_seq FROM writer_lane WHERE lane_id = {}", settled.value)),
      5);
}

TEST_P(TipStore, knows_the_last_number_of_a_lane_and_not_of_its_neighbours) {
  EXPECT_EQ(lastSeq(*c, kLane), LaneSeq{0});
  fill(LaneId{11}, 1, 5);
  fill(LaneId{13}, 1, 7);
  EXPECT_EQ(lastSeq(*c, kLane), LaneSeq{0});
  fill(kLane, 1, 3);
  EXPECT_EQ(lastSeq(*c, kLane), LaneSeq{3});
  insert({numbered(LaneId{11}, kLaneSeqEnd - 1)});
  EXPECT_EQ(lastSeq(*c, LaneId{11}), LaneSeq{kLaneSeqEnd - 1});
  EXPECT_EQ(lastSeq(*c, kLane), LaneSeq{3});
}

TEST_P(TipStore, gives_finance_a_lanes_tips_in_number_order) {
  fill(LaneId{11}, 1, 5);
  fill(LaneId{13}, 1, 5);
  for (const std::int64_t seq : {5, 2, 4, 1, 3}) {
    insert({numbered(kLane, seq, 10 * seq, kNow + Duration{seq})});
  }
  const auto seqs = [&](std::int64_t after, std::size_t limit) {
    std::vector<std::int64_t> found;
    for (const auto& tip : ledgerTips(*c, kLane, LaneSeq{after}, limit)) {
      EXPECT_EQ(laneOf(tip.id), kLane);
      found.push_back(seqOf(tip.id).value);
    }
    return found;
  };
  EXPECT_THAT(seqs(0, 100), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(seqs(2, 2), ElementsAre(3, 4));
  EXPECT_THAT(seqs(5, 100), IsEmpty());
  const auto tip = ledgerTips(*c, kLane, LaneSeq{3}, 1).at(0);
  const auto whole = numbered(kLane, 4, 40, kNow + Duration{4});
  EXPECT_EQ(tip.id, whole.id);
  EXPECT_EQ(tip.anchor, whole.tip.anchor);
  EXPECT_EQ(tip.viewer, whole.tip.viewer);
  EXPECT_EQ(tip.amount, whole.tip.amount);
  EXPECT_EQ(tip.anchorGender, whole.tip.anchorGender);
  EXPECT_EQ(tip.viewerGender, whole.tip.viewerGender);
  EXPECT_EQ(tip.acceptedAt, whole.acceptedAt);
}

TEST_P(TipStore, knows_whether_a_writers_connection_may_still_write) {
  auto other = database.connect();
  const auto id = other->serverId();
  const bool hasServer = c->dialect() == db::Dialect::mysql;
  EXPECT_EQ(connectionAlive(*c, id), hasServer);
  other.reset();
  EXPECT_TRUE(fixture::eventually([&] { return !connectionAlive(*c, id); }));
}

TEST_P(TipStore, notes_how_far_a_lane_was_pushed) {
  noteProgress(*c, kLane, LaneSeq{3}, kNow, "");
  noteProgress(*c, LaneId{13}, LaneSeq{1}, kNow, "finance is away");
  noteProgress(*c, kLane, LaneSeq{9}, kNow + Duration{5}, "it's away");
  EXPECT_THAT(rows(*c, {"lane_id", "acknowledged_seq", "at", "last_error"},
                   "sync_progress ORDER BY lane_id"),
              ElementsAre(fmt::format("12|9|{}|it's away", kNow.us + 5),
                          fmt::format("13|1|{}|finance is away", kNow.us)));
}

// Sums of lanes -----------------------------------------------------------------------------------

class LaneSums : public TipStore {
 protected:
  LaneSums() {
    for (int i = 0; i < 3; ++i)
      lanes.push_back(openLane(*c, fmt::format("node-{}", i), "p", kLease));
    setLaneState(*c, lanes[2], LaneState::closed, LaneSeq{0});
  }

  std::vector<LaneSum> read(const std::map<LaneId, LaneSeq>& cursors, bool keep = true) {
    advance.clear();
    c->beginSnapshot();
    auto sums = laneSums(*c, cursors, advance);
    c->commit();
    if (keep) keepSeals(*c, advance);
    return sums;
  }

  /// What the tips themselves say, row by row.
  void expectDirectSums(const std::vector<LaneSum>& sums,
                        const std::map<LaneId, LaneSeq>& cursors) {
    ASSERT_EQ(sums.size(), lanes.size());
    for (std::size_t i = 0; i < lanes.size(); ++i) {
      TipSum all;
      TipSum above;
      Time oldest{};
      const auto cursor = cursors.contains(lanes[i]) ? cursors.at(lanes[i]) : LaneSeq{0};
      c->query("SELECT tip_id, amount, accepted_at FROM tip", {}, [&](const db::Row& row) {
        if (laneOf(row.id<TipId>(0)) != lanes[i]) return;
        ++all.tips;
        all.amount += Fen{row.integer(1)};
        if (seqOf(row.id<TipId>(0)) <= cursor) return;
        if (above.tips == 0 || row.time(2) < oldest) oldest = row.time(2);
        ++above.tips;
        above.amount += Fen{row.integer(1)};
      });
      EXPECT_EQ(sums[i].lane, lanes[i]);
      EXPECT_EQ(sums[i].node, fmt::format("node-{}", i));
      EXPECT_EQ(sums[i].open, i != 2);
      EXPECT_EQ(sums[i].all.tips, all.tips);
      EXPECT_EQ(sums[i].all.amount, all.amount);
      EXPECT_EQ(sums[i].aboveCursor.tips, above.tips);
      EXPECT_EQ(sums[i].aboveCursor.amount, above.amount);
      EXPECT_EQ(sums[i].oldestAbove, oldest);
    }
  }

  std::vector<LaneId> lanes;
  std::vector<Seal> advance;
};
TIPFLOW_ON_BOTH(LaneSums);

TEST_P(LaneSums, are_zero_where_nothing_was_given) {
  expectDirectSums(read({}), {});
  EXPECT_THAT(advance, IsEmpty());
}

TEST_P(LaneSums, are_those_of_the_rows_for_every_cursor) {
  fill(lanes[0], 1, 20);
  fill(lanes[1], 1, 7);
  for (const bool sealed : {false, true}) {
    for (const std::int64_t cursor : {0, 1, 10, 19, 20}) {
      const std::map<LaneId, LaneSeq> cursors{{lanes[0], LaneSeq{cursor}}, {lanes[2], LaneSeq{0}}};
      expectDirectSums(read(cursors, false), cursors);
    }
    if (!sealed) read({}, true);
  }
}

TEST_P(LaneSums, stay_right_when_more_tips_come_after_they_were_sealed) {
  fill(lanes[0], 1, 20);
  const std::map<LaneId, LaneSeq> first{{lanes[0], LaneSeq{15}}};
  expectDirectSums(read(first), first);
  EXPECT_THAT(rows(*c, {"lane_id", "seq", "tips", "amount"}, "lane_seal"),
              ElementsAre(fmt::format("{}|20|20|2190", lanes[0].value)));

  fill(lanes[0], 21, 33);
  fill(lanes[1], 1, 4);
  const std::map<LaneId, LaneSeq> second{{lanes[0], LaneSeq{33}}, {lanes[1], LaneSeq{2}}};
  expectDirectSums(read(second), second);
  EXPECT_THAT(rows(*c, {"lane_id", "seq", "tips", "amount"}, "lane_seal ORDER BY lane_id"),
              ElementsAre(fmt::format("{}|33|33|3828", lanes[0].value),
                          fmt::format("{}|4|4|406", lanes[1].value)));

  expectDirectSums(read(second), second);
  EXPECT_THAT(advance, IsEmpty()) << "nothing new";
}

TEST_P(LaneSums, are_not_sealed_while_a_number_is_missing) {
  fill(lanes[0], 1, 5);
  read({});
  fill(lanes[0], 8, 9);
  expectDirectSums(read({}), {});
  EXPECT_THAT(advance, IsEmpty());
  fill(lanes[0], 6, 7);
  expectDirectSums(read({}), {});
  ASSERT_EQ(advance.size(), 1U);
  EXPECT_EQ(advance.front().seq, LaneSeq{9});
}

TEST_P(LaneSums, stay_right_when_two_readers_keep_their_seals_in_either_order) {
  fill(lanes[0], 1, 10);
  read({}, false);
  const auto early = advance;
  fill(lanes[0], 11, 30);
  read({}, false);
  const auto late = advance;
  keepSeals(*c, late);
  keepSeals(*c, early);
  expectDirectSums(read({}), {});
  fill(lanes[0], 31, 40);
  keepSeals(*c, {});
  const std::map<LaneId, LaneSeq> cursors{{lanes[0], LaneSeq{35}}};
  expectDirectSums(read(cursors), cursors);
}

TEST_P(LaneSums, show_no_tip_above_a_cursor_that_is_ahead_of_the_snapshot) {
  fill(lanes[0], 1, 5);
  const std::map<LaneId, LaneSeq> cursors{{lanes[0], LaneSeq{8}}};
  expectDirectSums(read(cursors), cursors);
}

}  // namespace
}  // namespace tipflow::audience::store
