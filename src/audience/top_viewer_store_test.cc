// The boards of all time on both databases: every tip counts once, whatever is cut short, and none
// is skipped.
#include "audience/top_viewer_store.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <random>

#include "audience/tip_store.h"
#include "audience/top_viewers.h"
#include "store/database.h"

namespace tipflow::audience::store {
namespace {

using fixture::number;
using fixture::rows;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Duration kLease{60 * kUsPerSecond};

class TopViewerStore : public ::testing::TestWithParam<fixture::Engine> {
 protected:
  LaneId lane(const std::string& process = "process-a") {
    return openLane(*c, "node-a", process, kLease);
  }
  /// The lane's next tip.
  void tip(LaneId lane, std::int64_t viewer, std::int64_t anchor, std::int64_t amountFen) {
    tipAt(lane, ++last_[lane], viewer, anchor, amountFen);
  }
  void tipAt(LaneId lane, std::int64_t seq, std::int64_t viewer, std::int64_t anchor,
             std::int64_t amountFen) {
    NumberedTip made;
    made.id = tipIdOf(lane, LaneSeq{seq});
    made.tip.traceId = {0x0192f3a4b5c67d8e, static_cast<std::uint64_t>(made.id.value)};
    made.tip.viewer = ViewerId{viewer};
    made.tip.anchor = AnchorId{anchor};
    made.tip.room = RoomId{1'000'000 + anchor};
    made.tip.amount = Fen{amountFen};
    insertTips(*c, {&made, 1});
  }
  Counted count(LaneId lane, std::size_t most = 1'000) {
    return db::transact(
        *c, [&](db::Connection& connection) { return countTips(connection, lane, most); });
  }
  /// Counts until nothing is left.
  void countAll(std::size_t most = 1'000) {
    for (const auto& behind : lanesBehind(*c, true)) {
      while (count(behind.lane, most).more) continue;
    }
  }
  std::vector<LaneId> behind(bool all = false) {
    std::vector<LaneId> lanes;
    for (const auto& each : lanesBehind(*c, all)) lanes.push_back(each.lane);
    return lanes;
  }
  std::vector<std::string> counted() {
    return rows(*c, {"anchor_id", "viewer_id", "amount", "tips"},
                "top_viewer ORDER BY anchor_id, viewer_id");
  }
  /// The same from the tips themselves.
  std::vector<std::string> given() {
    return rows(*c, {"anchor_id", "viewer_id", "SUM(amount)", "COUNT(*)"},
                "tip GROUP BY anchor_id, viewer_id ORDER BY anchor_id, viewer_id");
  }

  std::map<LaneId, std::int64_t> last_;
  fixture::TestDatabase database{GetParam(), "db1"};
  std::unique_ptr<db::Connection> c = database.connect();
};
TIPFLOW_ON_BOTH(TopViewerStore);

TEST_P(TopViewerStore, adds_up_what_each_viewer_gave_each_anchor) {
  const auto one = lane();
  tip(one, 7, 31, 100);
  tip(one, 8, 31, 40);
  tip(one, 7, 32, 5);
  tip(one, 7, 31, 11);
  countAll();
  EXPECT_THAT(counted(), ElementsAre("31|7|111|2", "31|8|40|1", "32|7|5|1"));
}

TEST_P(TopViewerStore, counts_each_tip_once_however_often_it_is_asked) {
  const auto one = lane();
  tip(one, 7, 31, 100);
  for (int i = 0; i < 3; ++i) countAll();
  EXPECT_THAT(counted(), ElementsAre("31|7|100|1"));
  tip(one, 7, 31, 1);
  countAll();
  EXPECT_THAT(counted(), ElementsAre("31|7|101|2"));
}

TEST_P(TopViewerStore, looks_at_no_lane_that_has_nothing_new) {
  const auto one = lane();
  const auto two = lane();
  EXPECT_THAT(behind(), IsEmpty());
  tip(one, 7, 31, 100);
  EXPECT_THAT(behind(), ElementsAre(one));
  countAll();
  EXPECT_THAT(behind(), IsEmpty());
  tip(two, 7, 31, 100);
  EXPECT_THAT(behind(), ElementsAre(two));
}

TEST_P(TopViewerStore, counts_what_a_lane_held_that_was_settled_meanwhile) {
  const auto one = lane();
  tip(one, 7, 31, 100);
  setLaneState(*c, one, LaneState::settled, LaneSeq{1});
  EXPECT_THAT(behind(), ElementsAre(one));
  countAll();
  EXPECT_THAT(counted(), ElementsAre("31|7|100|1"));
}

TEST_P(TopViewerStore, finds_a_tip_that_came_after_its_lane_was_taken_for_settled) {
  const auto one = lane();
  tip(one, 7, 31, 100);
  setLaneState(*c, one, LaneState::settled, LaneSeq{1});
  countAll();
  tip(one, 7, 31, 1);  // the last statement of a killed process
  EXPECT_THAT(behind(false), IsEmpty());
  EXPECT_THAT(behind(true), ElementsAre(one));
}

TEST_P(TopViewerStore, does_not_skip_a_number_that_is_missing) {
  const auto one = lane();
  tipAt(one, 1, 7, 31, 100);
  tipAt(one, 3, 7, 31, 10'000);
  const auto first = count(one);
  EXPECT_EQ(first.tips, 1);
  EXPECT_TRUE(first.hole);
  EXPECT_THAT(counted(), ElementsAre("31|7|100|1"));
  tipAt(one, 2, 7, 31, 5);
  const auto then = count(one);
  EXPECT_EQ(then.tips, 2);
  EXPECT_FALSE(then.hole);
  EXPECT_THAT(counted(), ElementsAre("31|7|10105|3"));
}

TEST_P(TopViewerStore, keeps_lanes_apart_whose_numbers_are_the_same) {
  const auto one = lane();
  const auto two = lane();
  for (const auto each : {one, two, one, two}) tip(each, 7, 31, 100);
  count(one);
  EXPECT_THAT(counted(), ElementsAre("31|7|200|2"));
  count(two);
  EXPECT_THAT(counted(), ElementsAre("31|7|400|4"));
}

TEST_P(TopViewerStore, forgets_what_was_counted_when_the_transaction_is_cut_short) {
  const auto one = lane();
  tip(one, 7, 31, 100);
  c->begin();
  EXPECT_EQ(countTips(*c, one, 10).tips, 1);
  c->rollback();
  EXPECT_THAT(counted(), IsEmpty());
  countAll();
  EXPECT_THAT(counted(), ElementsAre("31|7|100|1"));
}

TEST_P(TopViewerStore, is_exact_whatever_the_order_and_size_of_the_steps) {
  std::mt19937 random(20'261'122);
  const auto upTo = [&](int most) { return std::uniform_int_distribution<int>(1, most)(random); };
  std::vector<LaneId> lanes;
  for (int i = 0; i < 4; ++i) lanes.push_back(lane());
  for (int step = 0; step < 150; ++step) {
    const auto each = lanes[static_cast<std::size_t>(upTo(4) - 1)];
    for (int tips = upTo(4); tips > 0; --tips) tip(each, upTo(5), upTo(3), upTo(1'000));
    if (upTo(3) == 1) {
      c->begin();
      countTips(*c, each, static_cast<std::size_t>(upTo(5)));
      c->rollback();
    }
    count(lanes[static_cast<std::size_t>(upTo(4) - 1)], static_cast<std::size_t>(upTo(5)));
  }
  countAll(3);
  EXPECT_THAT(counted(), ElementsAreArray(given()));
  EXPECT_THAT(behind(true), IsEmpty());
}

TEST_P(TopViewerStore, answers_who_gave_most_equal_amounts_by_viewer) {
  const auto one = lane();
  for (const auto& [viewer, amount] : {std::pair{9, 50}, {5, 70}, {4, 50}, {6, 10}, {3, 50}}) {
    tip(one, viewer, 31, amount);
  }
  tip(one, 1, 32, 1'000'000);
  countAll();
  std::vector<std::string> shown;
  for (const auto& [viewer, amount] : topViewers(*c, AnchorId{31}, 4)) {
    shown.push_back(fmt::format("{}:{}", viewer.value, amount.value));
  }
  EXPECT_THAT(shown, ElementsAre("5:70", "3:50", "4:50", "9:50"));
  EXPECT_THAT(topViewers(*c, AnchorId{33}, 10), IsEmpty());
}

TEST_P(TopViewerStore, reads_the_board_from_its_index_alone) {
  if (GetParam() == fixture::Engine::SQLite) {
    std::string plan;
    c->query(
        "EXPLAIN QUERY PLAN SELECT viewer_id, amount FROM top_viewer WHERE anchor_id = 31 "
        "ORDER BY amount DESC, viewer_id LIMIT 10",
        {}, [&](const db::Row& row) { plan += row.text(3); });
    EXPECT_THAT(plan, HasSubstr("COVERING INDEX ix_top_viewer_amount"));
    EXPECT_EQ(plan.find("TEMP B-TREE"), std::string::npos) << plan;
    return;
  }
  std::string extra;
  c->query(
      "EXPLAIN SELECT viewer_id, amount FROM top_viewer WHERE anchor_id = 31 "
      "ORDER BY amount DESC, viewer_id LIMIT 10",
      {}, [&](const db::Row& row) { extra = row.text(9); });
  EXPECT_THAT(extra, HasSubstr("Using index"));
  EXPECT_EQ(extra.find("filesort"), std::string::npos) << extra;
}

/// Rows that the server has read for this connection.
std::int64_t rowsRead(db::Connection& connection) {
  std::int64_t sum = 0;
  connection.query("SHOW SESSION STATUS LIKE 'Handler_read%'", {}, [&](const db::Row& row) {
    if (row.text(0) != "Handler_read_rnd_deleted") sum += row.integer(1);
  });
  return sum;
}

class TopViewerCost : public TopViewerStore {};
INSTANTIATE_TEST_SUITE_P(, TopViewerCost, ::testing::Values(fixture::Engine::MariaDB),
                         fixture::engineName);

TEST_P(TopViewerCost, grows_with_what_is_new_and_not_with_what_was_counted) {
  const auto busy = lane();
  const auto quiet = lane();
  for (int i = 0; i < 2'000; ++i) tip(busy, i % 50, 31, 1);
  for (int i = 0; i < 20; ++i) tip(quiet, i, 31, 1);
  countAll();
  for (int i = 0; i < 10; ++i) tip(busy, i, 31, 1);

  auto before = rowsRead(*c);
  ASSERT_THAT(behind(true), ElementsAre(busy));
  EXPECT_LT(rowsRead(*c) - before, 60) << "a few look-ups a lane, and the status itself";
  before = rowsRead(*c);
  EXPECT_EQ(count(busy).tips, 10);
  EXPECT_LT(rowsRead(*c) - before, 100) << "ten tips and ten sums";
  before = rowsRead(*c);
  EXPECT_THAT(topViewers(*c, AnchorId{31}, 10), SizeIs(10));
  EXPECT_LT(rowsRead(*c) - before, 60) << "ten places";
}

// The job itself, under its lease -----------------------------------------------------------------

class TopViewersRuns : public TopViewerStore {
 protected:
  void SetUp() override { schedule::store::addJob(*c, {kTopViewersJob, "audience", kLease}); }
  schedule::Taken take(const std::string& process, Duration lease) {
    std::optional<schedule::Taken> taken;
    schedule::store::ask(*c, kTopViewersJob);
    EXPECT_TRUE(fixture::eventually([&] {
      taken = schedule::store::take(*c, kTopViewersJob, {"node", process}, lease);
      return taken.has_value();
    }));
    return taken.value();
  }
  std::atomic<bool> stopping{false};
  db::Database db{"DB1", database.url(), {1}};
};
TIPFLOW_ON_BOTH(TopViewersRuns);

TEST_P(TopViewersRuns, counts_everything_that_is_there) {
  const auto one = lane();
  const auto two = lane();
  for (int i = 0; i < 30; ++i) tip(i % 2 == 0 ? one : two, i % 7, i % 3, i);
  schedule::Run run(db, kTopViewersJob, take("process-a", kLease), stopping, kLease);
  TopViewersJob job;
  job.run(run);
  EXPECT_THAT(counted(), ElementsAreArray(given()));
}

TEST_P(TopViewersRuns, writes_nothing_under_a_lease_that_was_taken_over) {
  const auto one = lane();
  tip(one, 7, 31, 100);
  schedule::Run frozen(db, kTopViewersJob, take("process-a", Duration{1'000}), stopping, kLease);
  schedule::Run next(db, kTopViewersJob, take("process-b", kLease), stopping, kLease);
  TopViewersJob job;
  EXPECT_THROW(job.run(frozen), schedule::LeaseLost);
  EXPECT_THAT(counted(), IsEmpty());
  job.run(next);
  EXPECT_THAT(counted(), ElementsAre("31|7|100|1"));
}

TEST_P(TopViewersRuns, says_which_lane_lacks_a_tip_and_counts_the_others) {
  const auto whole = lane();
  const auto broken = lane();
  tipAt(broken, 1, 7, 31, 1);
  tipAt(broken, 3, 7, 31, 1);
  tip(whole, 8, 31, 100);
  schedule::Run run(db, kTopViewersJob, take("process-a", kLease), stopping, kLease);
  TopViewersJob job;
  try {
    job.run(run);
    FAIL() << "nothing was said";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr(fmt::format(" {}", broken.value)));
  }
  EXPECT_THAT(counted(), ElementsAre("31|7|1|1", "31|8|100|1"));
}

}  // namespace
}  // namespace tipflow::audience::store
