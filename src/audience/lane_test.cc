#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>

#include "audience/lane.h"
#include "base/random.h"

namespace tipflow::audience {
namespace {

constexpr LaneId kLane{4};
constexpr LaneId kOtherLane{5};
constexpr Time kNow{1'770'000'000'000'000};

Duration ms(std::int64_t n) { return Duration{n * kUsPerMs}; }

bool sameTip(const Tip& a, const Tip& b) {
  return a.traceId == b.traceId && a.viewer == b.viewer && a.room == b.room &&
         a.anchor == b.anchor && a.session == b.session && a.amount == b.amount &&
         a.giftId == b.giftId && a.count == b.count && a.anchorGender == b.anchorGender &&
         a.viewerGender == b.viewerGender && a.message == b.message;
}

bool sameRow(const NumberedTip& a, const NumberedTip& b) {
  return a.id == b.id && a.acceptedAt == b.acceptedAt && sameTip(a.tip, b.tip);
}

bool sameRows(std::span<const NumberedTip> a, std::span<const NumberedTip> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), sameRow);
}

TraceId trace(std::uint64_t n) { return TraceId{0x0192f3a4b5c67000, n}; }

Tip tip(std::uint64_t traceNumber, std::int64_t amountFen = 100) {
  Tip made;
  made.traceId = trace(traceNumber);
  made.viewer = ViewerId{9};
  made.room = RoomId{7};
  made.anchor = AnchorId{3};
  made.session = SessionId{2};
  made.amount = Fen{amountFen};
  made.giftId = 5;
  made.count = 10;
  made.anchorGender = Gender::female;
  made.viewerGender = Gender::male;
  made.message = "well played";
  return made;
}

// The tips of DB1, as far as lanes can see them: unique ids, unique traceIds, all rows or none.
class TipTable {
 public:
  // False, and nothing changed, on a duplicate key.
  bool insert(std::span<const NumberedTip> rows) {
    std::map<TipId, NumberedTip> ids;
    std::map<TraceId, TipId> traces;
    for (const auto& row : rows) {
      if (byId_.contains(row.id) || byTrace_.contains(row.tip.traceId)) return false;
      if (!ids.emplace(row.id, row).second) return false;
      if (!traces.emplace(row.tip.traceId, row.id).second) return false;
    }
    byId_.merge(ids);
    byTrace_.merge(traces);
    return true;
  }
  [[nodiscard]] bool has(TipId id) const { return byId_.contains(id); }
  [[nodiscard]] const NumberedTip* find(const TraceId& traceId) const {
    const auto found = byTrace_.find(traceId);
    return found == byTrace_.end() ? nullptr : &byId_.at(found->second);
  }
  [[nodiscard]] std::vector<NumberedTip> lookUp(std::span<const TraceId> traceIds) const {
    std::vector<NumberedTip> rows;
    for (const auto& traceId : traceIds) {
      if (const auto* row = find(traceId)) rows.push_back(*row);
    }
    return rows;
  }
  // The lane's rows behind number `after`, in number order.
  [[nodiscard]] std::vector<NumberedTip> ofLane(LaneId lane, LaneSeq after = {}) const {
    std::vector<NumberedTip> rows;
    const auto end = byId_.lower_bound(tipIdOf(LaneId{lane.value + 1}, LaneSeq{0}));
    for (auto at = byId_.upper_bound(tipIdOf(lane, after)); at != end; ++at) {
      rows.push_back(at->second);
    }
    return rows;
  }
  [[nodiscard]] std::size_t size() const { return byId_.size(); }

 private:
  std::map<TipId, NumberedTip> byId_;
  std::map<TraceId, TipId> byTrace_;
};

// A lane at its table, with a clock; each step of the driver is a line of a test.
struct LaneTest : testing::Test {
  TipTable table;
  Time now = kNow;
  Lane lane{kLane, LaneLimits{}};
  std::map<Ticket, TipAnswer> answers;

  void use(LaneLimits limits) { lane = Lane(kLane, limits); }

  bool submit(Ticket ticket, Tip asked) { return lane.submit(ticket, std::move(asked), now); }

  // The rows of the INSERT that the lane asks for now.
  std::vector<NumberedTip> wantedRows() {
    const auto action = lane.next(now);
    const auto* insert = std::get_if<Lane::Insert>(&action);
    EXPECT_NE(insert, nullptr) << "the lane does not ask for an INSERT";
    if (insert == nullptr) return {};
    return {insert->rows.begin(), insert->rows.end()};
  }
  void insert() {
    const auto rows = wantedRows();
    if (table.insert(rows)) {
      lane.onInserted();
    } else {
      lane.onDuplicate();
    }
    collect();
  }
  void lookUp() {
    const auto action = lane.next(now);
    ASSERT_TRUE(std::holds_alternative<Lane::LookUp>(action));
    lane.onFound(table.lookUp(std::get<Lane::LookUp>(action).traceIds));
    collect();
  }
  void probe() {
    const auto action = lane.next(now);
    ASSERT_TRUE(std::holds_alternative<Lane::Probe>(action));
    lane.onProbed(table.has(std::get<Lane::Probe>(action).first));
    collect();
  }
  // Runs whatever the lane asks for, without faults, until it is idle.
  void run() {
    for (int steps = 0; steps < 1'000; ++steps) {
      const auto action = lane.next(now);
      collect();
      if (std::holds_alternative<Lane::Idle>(action)) return;
      if (std::holds_alternative<Lane::Insert>(action)) insert();
      if (std::holds_alternative<Lane::LookUp>(action)) lookUp();
      if (std::holds_alternative<Lane::Probe>(action)) probe();
    }
    FAIL() << "the lane does not come to rest";
  }
  void collect() {
    for (const auto& answer : lane.takeAnswers()) {
      EXPECT_TRUE(answers.emplace(answer.ticket, answer).second)
          << "ticket " << answer.ticket << " is answered twice";
    }
  }
  // A row that another lane has committed.
  NumberedTip otherLanesRow(std::int64_t seq, Tip given) {
    const NumberedTip row{tipIdOf(kOtherLane, LaneSeq{seq}), kNow - ms(500), std::move(given)};
    EXPECT_TRUE(table.insert(std::span(&row, 1)));
    return row;
  }

  void expectOutcome(Ticket ticket, TipOutcome outcome) {
    collect();
    const auto answer = answers.find(ticket);
    ASSERT_NE(answer, answers.end()) << "ticket " << ticket << " is not answered";
    EXPECT_EQ(answer->second.outcome, outcome) << "of ticket " << ticket;
  }
  // The answer says `outcome` and names the row that stands under the traceId.
  void expectRow(Ticket ticket, TipOutcome outcome, std::uint64_t traceNumber) {
    expectOutcome(ticket, outcome);
    const auto* row = table.find(trace(traceNumber));
    ASSERT_NE(row, nullptr);
    EXPECT_EQ(answers[ticket].id, row->id) << "of ticket " << ticket;
    EXPECT_EQ(answers[ticket].acceptedAt, row->acceptedAt) << "of ticket " << ticket;
  }
  void expectUnanswered(Ticket ticket) {
    collect();
    EXPECT_FALSE(answers.contains(ticket)) << "ticket " << ticket;
  }
  // Numbers 1, 2, 3 … without holes, and the lane knows of all.
  void expectLaneIsWhole(std::int64_t tips) {
    const auto rows = table.ofLane(kLane);
    ASSERT_EQ(rows.size(), static_cast<std::size_t>(tips));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(seqOf(rows[i].id).value, static_cast<std::int64_t>(i) + 1);
    }
    EXPECT_EQ(lane.lastCommitted(), LaneSeq{tips});
    EXPECT_TRUE(sameRows(lane.takeCommitted(), rows));
  }
};

// Without faults ------------------------------------------------------------------------------

TEST_F(LaneTest, has_nothing_to_do_before_the_first_tip) {
  EXPECT_TRUE(std::holds_alternative<Lane::Idle>(lane.next(now)));
  EXPECT_TRUE(lane.idle());
  EXPECT_EQ(lane.lastCommitted(), LaneSeq{0});
}

TEST_F(LaneTest, answers_a_tip_only_once_it_is_committed_and_field_for_field_as_it_was_given) {
  ASSERT_TRUE(submit(1, tip(1)));
  const auto rows = wantedRows();
  expectUnanswered(1);
  EXPECT_FALSE(lane.idle());
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].id, tipIdOf(kLane, LaneSeq{1}));
  EXPECT_EQ(rows[0].acceptedAt, kNow);
  EXPECT_TRUE(sameTip(rows[0].tip, tip(1)));

  insert();
  expectRow(1, TipOutcome::created, 1);
  expectLaneIsWhole(1);
  EXPECT_TRUE(lane.idle());
}

TEST_F(LaneTest, collects_tips_while_a_statement_is_under_way_and_sends_them_together) {
  ASSERT_TRUE(submit(1, tip(1)));
  const auto first = wantedRows();
  for (Ticket n = 2; n <= 5; ++n) ASSERT_TRUE(submit(n, tip(n)));
  EXPECT_TRUE(sameRows(wantedRows(), first));  // what is under way does not grow
  EXPECT_EQ(lane.queued(), 4U);

  insert();
  const auto second = wantedRows();
  ASSERT_EQ(second.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(second[i].id, tipIdOf(kLane, LaneSeq{2 + static_cast<std::int64_t>(i)}));
    EXPECT_EQ(second[i].tip.traceId, trace(2 + i));
  }
  run();
  for (Ticket n = 1; n <= 5; ++n) expectRow(n, TipOutcome::created, n);
  expectLaneIsWhole(5);
}

TEST_F(LaneTest, sends_no_more_rows_a_statement_than_its_limit) {
  use({.batch = 3});
  for (Ticket n = 1; n <= 8; ++n) ASSERT_TRUE(submit(n, tip(n)));
  for (const std::size_t rows : {3U, 3U, 2U}) {
    EXPECT_EQ(wantedRows().size(), rows);
    insert();
  }
  expectLaneIsWhole(8);
}

TEST_F(LaneTest, asks_for_the_same_until_it_is_told_how_it_ended) {
  use({.batch = 2});
  for (Ticket n = 1; n <= 4; ++n) ASSERT_TRUE(submit(n, tip(n)));
  const auto rows = wantedRows();
  now = now + ms(3);
  EXPECT_TRUE(sameRows(wantedRows(), rows));
  otherLanesRow(1, tip(1));
  insert();
  for (int times = 0; times < 2; ++times) {
    const auto action = lane.next(now);
    const std::vector<TraceId> expected{trace(1), trace(2)};
    EXPECT_EQ(std::get<Lane::LookUp>(action).traceIds, expected);
  }
  lookUp();
  lane.onLost();
  for (int times = 0; times < 2; ++times) {
    const auto action = lane.next(now);
    EXPECT_EQ(std::get<Lane::Probe>(action).first, tipIdOf(kLane, LaneSeq{1}));
  }
}

TEST_F(LaneTest, refuses_a_tip_beyond_its_queue_and_queues_nothing_of_it) {
  use({.batch = 2, .queue = 3});
  for (Ticket n = 1; n <= 3; ++n) ASSERT_TRUE(submit(n, tip(n)));
  EXPECT_FALSE(submit(4, tip(4)));
  EXPECT_EQ(lane.queued(), 3U);

  // What is under way is not waiting any more.
  wantedRows();
  EXPECT_EQ(lane.queued(), 1U);
  ASSERT_TRUE(submit(5, tip(5)));
  ASSERT_TRUE(submit(6, tip(6)));
  EXPECT_FALSE(submit(7, tip(7)));

  run();
  EXPECT_EQ(table.find(trace(4)), nullptr);
  EXPECT_EQ(table.find(trace(7)), nullptr);
  expectUnanswered(4);
  expectUnanswered(7);
  expectLaneIsWhole(5);
}

TEST_F(LaneTest, hands_out_what_was_committed_once_and_in_number_order) {
  use({.batch = 2});
  for (Ticket n = 1; n <= 3; ++n) ASSERT_TRUE(submit(n, tip(n)));
  run();
  EXPECT_TRUE(sameRows(lane.takeCommitted(), table.ofLane(kLane)));
  EXPECT_TRUE(lane.takeCommitted().empty());
  ASSERT_TRUE(submit(4, tip(4)));
  run();
  const auto committed = lane.takeCommitted();
  ASSERT_EQ(committed.size(), 1U);
  EXPECT_EQ(seqOf(committed[0].id), LaneSeq{4});
}

// Time ----------------------------------------------------------------------------------------

TEST_F(LaneTest, accepts_a_tip_when_it_is_numbered_not_when_it_was_queued) {
  ASSERT_TRUE(submit(1, tip(1)));
  now = now + ms(40);
  EXPECT_EQ(wantedRows()[0].acceptedAt, kNow + ms(40));
}

TEST_F(LaneTest, accepted_at_never_decreases_when_the_clock_goes_back) {
  ASSERT_TRUE(submit(1, tip(1)));
  run();
  now = kNow - ms(60'000);
  ASSERT_TRUE(submit(2, tip(2)));
  run();
  EXPECT_EQ(table.find(trace(2))->acceptedAt, kNow);
  now = kNow + ms(1);
  ASSERT_TRUE(submit(3, tip(3)));
  run();
  EXPECT_EQ(table.find(trace(3))->acceptedAt, kNow + ms(1));
}

TEST_F(LaneTest, a_tip_keeps_its_time_through_every_retry_and_renumbering) {
  ASSERT_TRUE(submit(1, tip(1)));
  ASSERT_TRUE(submit(2, tip(2)));
  wantedRows();
  now = now + ms(1'000);
  lane.onLost();
  probe();
  lane.onRolledBack();
  otherLanesRow(1, tip(1));
  run();
  expectRow(2, TipOutcome::created, 2);
  EXPECT_EQ(table.find(trace(2))->acceptedAt, kNow);
}

// Duplicates ----------------------------------------------------------------------------------

TEST_F(LaneTest, a_repeat_in_the_same_statement_is_written_once_and_told_that_it_exists) {
  ASSERT_TRUE(submit(1, tip(1)));
  ASSERT_TRUE(submit(2, tip(1)));
  ASSERT_TRUE(submit(3, tip(2)));
  EXPECT_EQ(wantedRows().size(), 2U);
  run();
  expectRow(1, TipOutcome::created, 1);
  expectRow(2, TipOutcome::exists, 1);
  expectRow(3, TipOutcome::created, 2);
  expectLaneIsWhole(2);
}

TEST_F(LaneTest, other_content_under_the_same_trace_id_in_one_statement_is_a_conflict) {
  ASSERT_TRUE(submit(1, tip(1, 100)));
  ASSERT_TRUE(submit(2, tip(1, 101)));
  ASSERT_TRUE(submit(3, tip(1, 100)));
  run();
  expectRow(1, TipOutcome::created, 1);
  expectOutcome(2, TipOutcome::conflict);
  expectRow(3, TipOutcome::exists, 1);
  EXPECT_EQ(table.find(trace(1))->tip.amount, Fen{100});
  expectLaneIsWhole(1);
}

TEST_F(LaneTest, repeats_in_one_statement_do_not_use_up_its_rows) {
  use({.batch = 2});
  ASSERT_TRUE(submit(1, tip(1)));
  for (Ticket n = 2; n <= 5; ++n) ASSERT_TRUE(submit(n, tip(1)));
  ASSERT_TRUE(submit(6, tip(2)));
  EXPECT_EQ(wantedRows().size(), 2U);
  insert();
  for (Ticket n = 2; n <= 5; ++n) expectRow(n, TipOutcome::exists, 1);
  expectRow(6, TipOutcome::created, 2);
}

TEST_F(LaneTest, a_row_of_another_lane_answers_its_repeats_and_the_rest_is_numbered_again) {
  use({.recent = 0});
  otherLanesRow(1, tip(2));
  otherLanesRow(2, tip(4, 999));
  for (Ticket n = 1; n <= 5; ++n) ASSERT_TRUE(submit(n, tip(n)));
  insert();
  for (Ticket n = 1; n <= 5; ++n) expectUnanswered(n);
  lookUp();
  expectRow(2, TipOutcome::exists, 2);
  expectOutcome(4, TipOutcome::conflict);
  expectUnanswered(1);

  const auto rows = wantedRows();
  ASSERT_EQ(rows.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(rows[i].id, tipIdOf(kLane, LaneSeq{static_cast<std::int64_t>(i) + 1}));
    EXPECT_EQ(rows[i].tip.traceId, trace(2 * i + 1));
  }
  run();
  for (const Ticket n : {1U, 3U, 5U}) expectRow(n, TipOutcome::created, n);
  EXPECT_EQ(table.find(trace(4))->tip.amount, Fen{999});
  expectLaneIsWhole(3);
}

TEST_F(LaneTest, each_of_the_five_fields_of_content_makes_another_tip_and_the_message_does_not) {
  otherLanesRow(1, tip(1));
  const auto changed = [](auto change) {
    Tip asked = tip(1);
    change(asked);
    return asked;
  };
  const std::vector<Tip> others{
      changed([](Tip& t) { t.viewer = ViewerId{10}; }), changed([](Tip& t) { t.room = RoomId{8}; }),
      changed([](Tip& t) { t.amount = Fen{99}; }), changed([](Tip& t) { t.giftId = 6; }),
      changed([](Tip& t) { t.count = 11; })};
  Ticket ticket = 1;
  // Once through the database, once from what the lane remembers.
  for (int times = 0; times < 2; ++times) {
    for (const auto& other : others) {
      ASSERT_TRUE(submit(ticket, other));
      run();
      expectOutcome(ticket++, TipOutcome::conflict);
    }
    ASSERT_TRUE(submit(ticket, changed([](Tip& t) { t.message = "again"; })));
    run();
    expectRow(ticket++, TipOutcome::exists, 1);
  }
  EXPECT_EQ(table.size(), 1U);
}

TEST_F(LaneTest, repeats_of_a_row_of_another_lane_are_answered_from_that_row) {
  otherLanesRow(1, tip(1, 100));
  ASSERT_TRUE(submit(1, tip(2)));
  ASSERT_TRUE(submit(2, tip(1, 777)));  // comes first of its traceId, and is not the tip
  ASSERT_TRUE(submit(3, tip(1, 100)));
  ASSERT_TRUE(submit(4, tip(2)));
  ASSERT_TRUE(submit(5, tip(2, 1)));
  run();
  expectRow(1, TipOutcome::created, 2);
  expectOutcome(2, TipOutcome::conflict);
  expectRow(3, TipOutcome::exists, 1);
  expectRow(4, TipOutcome::exists, 2);
  expectOutcome(5, TipOutcome::conflict);
  expectLaneIsWhole(1);
}

TEST_F(LaneTest, a_statement_of_nothing_but_repeats_uses_up_no_number) {
  for (Ticket n = 1; n <= 3; ++n) {
    otherLanesRow(static_cast<std::int64_t>(n), tip(n));
    ASSERT_TRUE(submit(n, tip(n)));
  }
  insert();
  lookUp();
  for (Ticket n = 1; n <= 3; ++n) expectRow(n, TipOutcome::exists, n);
  EXPECT_TRUE(lane.idle());
  EXPECT_TRUE(std::holds_alternative<Lane::Idle>(lane.next(now)));
  EXPECT_EQ(lane.lastCommitted(), LaneSeq{0});

  ASSERT_TRUE(submit(4, tip(4)));
  run();
  EXPECT_EQ(answers[4].id, tipIdOf(kLane, LaneSeq{1}));
  expectLaneIsWhole(1);
}

TEST_F(LaneTest, numbers_again_as_often_as_other_lanes_come_first) {
  for (Ticket n = 1; n <= 6; ++n) ASSERT_TRUE(submit(n, tip(n)));
  for (Ticket n = 1; n <= 5; ++n) {
    otherLanesRow(static_cast<std::int64_t>(n), tip(n));
    insert();
    lookUp();
    expectRow(n, TipOutcome::exists, n);
    EXPECT_EQ(wantedRows().size(), 6U - n);
    EXPECT_EQ(wantedRows().front().id, tipIdOf(kLane, LaneSeq{1}));
  }
  insert();
  expectRow(6, TipOutcome::created, 6);
  expectLaneIsWhole(1);
}

TEST_F(LaneTest, repeats_follow_their_first_through_every_renumbering) {
  for (Ticket n = 1; n <= 4; ++n) ASSERT_TRUE(submit(n, tip(n)));
  for (Ticket n = 1; n <= 4; ++n) ASSERT_TRUE(submit(10 + n, tip(n)));
  for (Ticket n = 1; n <= 4; ++n) ASSERT_TRUE(submit(20 + n, tip(n, 5)));
  for (const std::uint64_t n : {3U, 1U}) {
    otherLanesRow(static_cast<std::int64_t>(n), tip(n));
    insert();
    lookUp();
    expectRow(n, TipOutcome::exists, n);
    expectRow(10 + n, TipOutcome::exists, n);
    expectOutcome(20 + n, TipOutcome::conflict);
  }
  for (const Ticket n : {2U, 4U}) expectUnanswered(10 + n);
  run();
  for (const Ticket n : {2U, 4U}) {
    expectRow(n, TipOutcome::created, n);
    expectRow(10 + n, TipOutcome::exists, n);
    expectOutcome(20 + n, TipOutcome::conflict);
  }
  expectLaneIsWhole(2);
}

// Lost connections ----------------------------------------------------------------------------

TEST_F(LaneTest, a_statement_lost_before_its_commit_is_sent_again_with_the_same_numbers) {
  for (Ticket n = 1; n <= 3; ++n) ASSERT_TRUE(submit(n, tip(n)));
  const auto rows = wantedRows();
  lane.onLost();
  expectUnanswered(1);
  EXPECT_EQ(std::get<Lane::Probe>(lane.next(now)).first, tipIdOf(kLane, LaneSeq{1}));
  probe();
  expectUnanswered(1);
  EXPECT_TRUE(sameRows(wantedRows(), rows));
  insert();
  for (Ticket n = 1; n <= 3; ++n) expectRow(n, TipOutcome::created, n);
  expectLaneIsWhole(3);
}

TEST_F(LaneTest, a_statement_lost_after_its_commit_is_found_and_not_sent_again) {
  ASSERT_TRUE(submit(1, tip(1)));
  ASSERT_TRUE(submit(2, tip(2)));
  ASSERT_TRUE(submit(3, tip(2)));
  ASSERT_TRUE(table.insert(wantedRows()));
  lane.onLost();
  expectUnanswered(1);
  probe();
  expectRow(1, TipOutcome::created, 1);
  expectRow(2, TipOutcome::created, 2);
  expectRow(3, TipOutcome::exists, 2);
  EXPECT_TRUE(std::holds_alternative<Lane::Idle>(lane.next(now)));
  expectLaneIsWhole(2);
}

TEST_F(LaneTest, a_lost_statement_that_commits_between_probe_and_retry_is_known_as_its_own) {
  ASSERT_TRUE(submit(1, tip(1)));
  ASSERT_TRUE(submit(2, tip(2)));
  ASSERT_TRUE(submit(3, tip(1)));
  const auto lost = wantedRows();
  lane.onLost();
  probe();
  ASSERT_TRUE(table.insert(lost));
  insert();
  expectUnanswered(1);
  lookUp();
  expectRow(1, TipOutcome::created, 1);
  expectRow(2, TipOutcome::created, 2);
  expectRow(3, TipOutcome::exists, 1);
  EXPECT_TRUE(lane.idle());
  expectLaneIsWhole(2);
}

TEST_F(LaneTest, a_lost_statement_can_do_nothing_once_its_retry_has_committed) {
  ASSERT_TRUE(submit(1, tip(1)));
  const auto lost = wantedRows();
  lane.onLost();
  probe();
  insert();
  EXPECT_FALSE(table.insert(lost));
  ASSERT_TRUE(submit(2, tip(2)));
  run();
  expectLaneIsWhole(2);
}

TEST_F(LaneTest, a_lost_statement_can_do_nothing_once_another_lane_holds_one_of_its_tips) {
  for (Ticket n = 1; n <= 3; ++n) ASSERT_TRUE(submit(n, tip(n)));
  const auto lost = wantedRows();
  lane.onLost();
  probe();
  otherLanesRow(1, tip(2));
  insert();
  lookUp();
  EXPECT_FALSE(table.insert(lost));
  run();
  EXPECT_FALSE(table.insert(lost));
  expectRow(1, TipOutcome::created, 1);
  expectRow(2, TipOutcome::exists, 2);
  expectRow(3, TipOutcome::created, 3);
  expectLaneIsWhole(2);
}

TEST_F(LaneTest, finds_out_what_became_of_a_statement_however_often_the_connection_is_lost) {
  ASSERT_TRUE(submit(1, tip(1)));
  const auto rows = wantedRows();
  for (int times = 0; times < 3; ++times) {
    lane.onLost();
    for (int probes = 0; probes < 3; ++probes) {
      EXPECT_EQ(std::get<Lane::Probe>(lane.next(now)).first, rows[0].id);
      lane.onLost();
    }
    probe();
    EXPECT_TRUE(sameRows(wantedRows(), rows));
  }
  expectUnanswered(1);
  insert();
  expectRow(1, TipOutcome::created, 1);
  expectLaneIsWhole(1);
}

TEST_F(LaneTest, a_connection_lost_while_looking_up_leaves_the_same_question) {
  otherLanesRow(1, tip(1));
  ASSERT_TRUE(submit(1, tip(1)));
  ASSERT_TRUE(submit(2, tip(2)));
  insert();
  lane.onLost();
  const auto action = lane.next(now);
  EXPECT_EQ(std::get<Lane::LookUp>(action).traceIds.size(), 2U);
  run();
  expectRow(1, TipOutcome::exists, 1);
  expectRow(2, TipOutcome::created, 2);
  expectLaneIsWhole(1);
}

TEST_F(LaneTest, a_renumbered_statement_that_is_lost_is_probed_by_its_new_first_number) {
  ASSERT_TRUE(submit(1, tip(1)));
  run();
  otherLanesRow(1, tip(2));
  ASSERT_TRUE(submit(2, tip(2)));
  ASSERT_TRUE(submit(3, tip(3)));
  insert();
  lookUp();
  ASSERT_TRUE(table.insert(wantedRows()));
  lane.onLost();
  EXPECT_EQ(std::get<Lane::Probe>(lane.next(now)).first, tipIdOf(kLane, LaneSeq{2}));
  probe();
  expectRow(3, TipOutcome::created, 3);
  expectLaneIsWhole(2);
}

TEST_F(LaneTest, a_statement_that_was_rolled_back_is_sent_again_as_it_was) {
  for (Ticket n = 1; n <= 3; ++n) ASSERT_TRUE(submit(n, tip(n)));
  const auto rows = wantedRows();
  for (int times = 0; times < 3; ++times) {
    lane.onRolledBack();
    EXPECT_TRUE(sameRows(wantedRows(), rows));
    expectUnanswered(1);
  }
  run();
  expectLaneIsWhole(3);
}

TEST_F(LaneTest, a_statement_that_is_refused_for_good_gives_its_tips_up_and_the_lane_goes_on) {
  use({.batch = 2});
  ASSERT_TRUE(submit(1, tip(1)));
  ASSERT_TRUE(submit(2, tip(1)));
  ASSERT_TRUE(submit(3, tip(3)));
  ASSERT_TRUE(submit(4, tip(4)));
  wantedRows();
  lane.onRefused();
  for (Ticket n = 1; n <= 3; ++n) expectOutcome(n, TipOutcome::unavailable);
  expectUnanswered(4);
  run();
  expectRow(4, TipOutcome::created, 4);
  ASSERT_TRUE(submit(5, tip(1)));
  run();
  expectRow(5, TipOutcome::created, 1);
  expectLaneIsWhole(2);
}

TEST_F(LaneTest, a_lane_whose_lost_statement_is_refused_is_given_up_with_its_numbers) {
  ASSERT_TRUE(submit(1, tip(1)));
  wantedRows();
  lane.onLost();
  probe();
  EXPECT_THROW(lane.onRefused(), BrokenInvariant);
  lane.abandon();
  expectOutcome(1, TipOutcome::unknown);
}

// Waiting -------------------------------------------------------------------------------------

TEST_F(LaneTest, a_tip_that_waited_too_long_in_the_queue_is_not_written_any_more) {
  use({.batch = 1, .wait = ms(5'000)});
  ASSERT_TRUE(submit(1, tip(1)));
  wantedRows();
  ASSERT_TRUE(submit(2, tip(2)));
  now = now + ms(1);
  ASSERT_TRUE(submit(3, tip(3)));

  now = kNow + ms(5'000) - Duration{1};
  lane.expire(now);
  expectUnanswered(2);
  now = kNow + ms(5'000);
  lane.expire(now);
  expectOutcome(2, TipOutcome::unavailable);
  expectUnanswered(3);

  run();
  EXPECT_EQ(table.find(trace(2)), nullptr);
  expectRow(3, TipOutcome::created, 3);
}

TEST_F(LaneTest, a_tip_whose_statement_is_under_way_too_long_is_unknown_and_resolved_all_the_same) {
  use({.wait = ms(5'000)});
  for (Ticket n = 1; n <= 2; ++n) ASSERT_TRUE(submit(n, tip(n)));
  wantedRows();
  lane.onLost();
  now = kNow + ms(5'000);
  lane.expire(now);
  expectOutcome(1, TipOutcome::unknown);
  expectOutcome(2, TipOutcome::unknown);
  now = now + ms(60'000);
  lane.expire(now);  // says nothing twice

  ASSERT_TRUE(submit(3, tip(3)));
  run();
  expectRow(3, TipOutcome::created, 3);
  EXPECT_NE(table.find(trace(1)), nullptr);
  EXPECT_NE(table.find(trace(2)), nullptr);
  expectLaneIsWhole(3);

  // The same traceId asks again, and learns the truth.
  ASSERT_TRUE(submit(4, tip(1)));
  ASSERT_TRUE(submit(5, tip(2, 1)));
  run();
  expectRow(4, TipOutcome::exists, 1);
  expectOutcome(5, TipOutcome::conflict);
}

TEST_F(LaneTest, those_who_wait_for_the_same_tip_are_told_unknown_together_and_once) {
  use({.wait = ms(5'000)});
  ASSERT_TRUE(submit(1, tip(1)));
  ASSERT_TRUE(submit(2, tip(1)));
  ASSERT_TRUE(submit(3, tip(1, 5)));
  ASSERT_TRUE(submit(4, tip(2)));
  wantedRows();
  now = kNow + ms(5'000);
  lane.expire(now);
  for (Ticket n = 1; n <= 4; ++n) expectOutcome(n, TipOutcome::unknown);
  otherLanesRow(1, tip(2));
  run();
  lane.expire(now + ms(5'000));
  collect();
  EXPECT_EQ(answers.size(), 4U);
  expectLaneIsWhole(1);
}

TEST_F(LaneTest, only_those_who_waited_too_long_are_told_so) {
  use({.wait = ms(5'000)});
  ASSERT_TRUE(submit(1, tip(1)));
  now = kNow + ms(3'000);
  ASSERT_TRUE(submit(2, tip(2)));
  wantedRows();
  now = kNow + ms(5'000);
  lane.expire(now);
  expectOutcome(1, TipOutcome::unknown);
  expectUnanswered(2);
  run();
  expectRow(2, TipOutcome::created, 2);
}

TEST_F(LaneTest, renumbering_does_not_change_how_long_anyone_has_waited) {
  use({.wait = ms(5'000)});
  ASSERT_TRUE(submit(1, tip(1)));
  now = kNow + ms(3'000);
  ASSERT_TRUE(submit(2, tip(2)));
  otherLanesRow(1, tip(1));
  insert();
  lookUp();
  expectRow(1, TipOutcome::exists, 1);
  now = kNow + ms(8'000) - Duration{1};
  lane.expire(now);
  expectUnanswered(2);
  lane.expire(now + Duration{1});
  expectOutcome(2, TipOutcome::unknown);
}

TEST_F(LaneTest, gives_up_with_the_truth_for_everyone) {
  use({.batch = 3, .wait = ms(5'000)});
  ASSERT_TRUE(submit(1, tip(1)));
  run();
  ASSERT_TRUE(submit(2, tip(2)));
  now = kNow + ms(4'000);
  ASSERT_TRUE(submit(3, tip(3)));
  ASSERT_TRUE(submit(4, tip(3)));
  wantedRows();
  ASSERT_TRUE(submit(5, tip(5)));
  lane.expire(kNow + ms(5'000));
  expectOutcome(2, TipOutcome::unknown);

  lane.abandon();
  expectRow(1, TipOutcome::created, 1);
  expectOutcome(3, TipOutcome::unknown);
  expectOutcome(4, TipOutcome::unknown);
  expectOutcome(5, TipOutcome::unavailable);
  EXPECT_TRUE(lane.idle());
  EXPECT_TRUE(std::holds_alternative<Lane::Idle>(lane.next(now)));
  expectLaneIsWhole(1);
}

// Memory --------------------------------------------------------------------------------------

TEST_F(LaneTest, a_repeat_of_a_tip_committed_lately_is_answered_without_the_database) {
  ASSERT_TRUE(submit(1, tip(1)));
  run();
  ASSERT_TRUE(submit(2, tip(1)));
  ASSERT_TRUE(submit(3, tip(1, 5)));
  EXPECT_TRUE(std::holds_alternative<Lane::Idle>(lane.next(now)));
  expectRow(2, TipOutcome::exists, 1);
  expectOutcome(3, TipOutcome::conflict);
  expectLaneIsWhole(1);
}

TEST_F(LaneTest, remembers_the_rows_of_other_lanes_that_it_was_shown) {
  otherLanesRow(1, tip(1));
  ASSERT_TRUE(submit(1, tip(1)));
  run();
  ASSERT_TRUE(submit(2, tip(1)));
  EXPECT_TRUE(std::holds_alternative<Lane::Idle>(lane.next(now)));
  expectRow(2, TipOutcome::exists, 1);
}

TEST_F(LaneTest, remembers_no_more_than_its_bound_and_forgets_the_oldest_first) {
  use({.recent = 3});
  for (Ticket n = 1; n <= 4; ++n) ASSERT_TRUE(submit(n, tip(n)));
  run();
  for (Ticket n = 2; n <= 4; ++n) {
    ASSERT_TRUE(submit(10 + n, tip(n)));
    EXPECT_TRUE(std::holds_alternative<Lane::Idle>(lane.next(now))) << n;
    expectRow(10 + n, TipOutcome::exists, n);
  }
  // Forgotten, not unknown: the database is asked.
  ASSERT_TRUE(submit(11, tip(1)));
  EXPECT_EQ(wantedRows().size(), 1U);
  run();
  expectRow(11, TipOutcome::exists, 1);
  // Being asked for brought it back, in the place of the oldest.
  ASSERT_TRUE(submit(21, tip(1)));
  EXPECT_TRUE(std::holds_alternative<Lane::Idle>(lane.next(now)));
  ASSERT_TRUE(submit(22, tip(2)));
  EXPECT_EQ(wantedRows().size(), 1U);
  run();
  expectRow(21, TipOutcome::exists, 1);
  expectRow(22, TipOutcome::exists, 2);
  expectLaneIsWhole(4);
}

TEST_F(LaneTest, without_memory_every_repeat_is_answered_by_the_database) {
  use({.recent = 0});
  ASSERT_TRUE(submit(1, tip(1)));
  run();
  ASSERT_TRUE(submit(2, tip(1)));
  ASSERT_TRUE(submit(3, tip(1, 5)));
  EXPECT_EQ(wantedRows().size(), 1U);
  run();
  expectRow(2, TipOutcome::exists, 1);
  expectOutcome(3, TipOutcome::conflict);
  expectLaneIsWhole(1);
}

TEST_F(LaneTest, repeats_from_memory_do_not_stop_the_tips_behind_them) {
  use({.batch = 2});
  ASSERT_TRUE(submit(1, tip(1)));
  run();
  for (Ticket n = 2; n <= 6; ++n) ASSERT_TRUE(submit(n, tip(1)));
  ASSERT_TRUE(submit(7, tip(7)));
  EXPECT_EQ(wantedRows().size(), 1U);
  run();
  for (Ticket n = 2; n <= 6; ++n) expectRow(n, TipOutcome::exists, 1);
  expectRow(7, TipOutcome::created, 7);
}

// Broken invariants ---------------------------------------------------------------------------

TEST_F(LaneTest, duplicates_that_no_row_explains_again_and_again_are_a_broken_invariant) {
  // Somebody else writes under this lane's numbers.
  const NumberedTip thief{tipIdOf(kLane, LaneSeq{1}), kNow, tip(99)};
  ASSERT_TRUE(table.insert(std::span(&thief, 1)));
  ASSERT_TRUE(submit(1, tip(1)));
  EXPECT_THROW(run(), BrokenInvariant);
  expectUnanswered(1);
  lane.abandon();
  expectOutcome(1, TipOutcome::unknown);
  EXPECT_EQ(table.size(), 1U);
}

TEST_F(LaneTest, a_duplicate_that_was_gone_when_it_was_looked_up_is_simply_tried_again) {
  for (Ticket n = 1; n <= 4; ++n) {
    ASSERT_TRUE(submit(n, tip(n)));
    const auto rows = wantedRows();
    lane.onDuplicate();
    lookUp();
    EXPECT_TRUE(sameRows(wantedRows(), rows));
    expectUnanswered(n);
    run();
    expectRow(n, TipOutcome::created, n);
  }
  expectLaneIsWhole(4);
}

// At random -----------------------------------------------------------------------------------

// Two lanes at one table, under a scheduler that loses connections, delays statements past their
// retries, moves the clock both ways and repeats traceIds; and an auditor that holds every answer
// against the table, and the table against invariants I1 to I3 and I5.
class TwoLanes {
 public:
  explicit TwoLanes(std::uint64_t seed) : random_(seed) {
    for (int i = 0; i < 2; ++i) {
      LaneLimits limits;
      limits.batch = 1 + random_.below(5);
      limits.queue = 4 + random_.below(12);
      limits.recent = random_.below(6);
      limits.wait = ms(static_cast<std::int64_t>(20 + random_.below(100)));
      nodes_.emplace_back(LaneId{nextLane_++}, limits);
    }
  }

  void run(int steps) {
    for (int i = 0; i < steps && !failed(); ++i) step();
    // The network heals; what is under way ends; every traceId is asked for once more (I2).
    healed_ = true;
    for (int i = 0; i < 10'000 && !failed() && !resting(); ++i) step();
    while (!delayed_.empty()) commitDelayed(0);
    for (std::uint64_t n = 0; n < kTraces && !failed(); ++n) {
      auto& node = nodes_[random_.below(2)];
      submit(node, contentOf(n));
      for (int i = 0; i < 10'000 && !failed() && !resting(); ++i) step();
    }
    auditEnd();
  }

 private:
  static constexpr std::uint64_t kTraces = 300;

  // How far the auditor has read a lane's rows.
  struct Audited {
    LaneId lane;
    LaneSeq last;
    Time lastTime;
  };
  struct Node {
    Node(LaneId id, LaneLimits given) : limits(given), lane(id, given), audited{id, {}, {}} {}
    LaneLimits limits;
    Lane lane;
    // An action under way: the statement was sent, its end has not been seen.
    std::optional<std::vector<NumberedTip>> sent;
    std::vector<NumberedTip> committed;
    Audited audited;
  };
  struct Asked {
    Tip tip;
    std::optional<TipAnswer> answer;
  };

  static bool failed() { return testing::Test::HasFailure(); }

  bool resting() const {
    return std::all_of(nodes_.begin(), nodes_.end(),
                       [](const Node& node) { return node.lane.idle(); });
  }

  // What the traceId number `n` stands for, when nobody lies about it.
  static Tip contentOf(std::uint64_t n) {
    Tip made = tip(n, static_cast<std::int64_t>(1 + n % 17));
    made.viewer = ViewerId{static_cast<std::int64_t>(1 + n % 5)};
    return made;
  }

  void submit(Node& node, Tip asked) {
    const Ticket ticket = ++lastTicket_;
    // Each request can be told from the others in the table by its message.
    asked.message = std::to_string(ticket);
    if (!node.lane.submit(ticket, asked, now_)) return;
    asked_[ticket] = {std::move(asked), std::nullopt};
  }

  void submitSome() {
    // Mostly traceIds around a place that moves on, so that repeats of all ages happen.
    const auto newest = std::min<std::uint64_t>(kTraces - 1, lastTicket_ / 8);
    const auto n = random_.below(3) == 0 ? random_.below(newest + 1)
                                         : newest - std::min(newest, random_.below(4));
    Tip asked = contentOf(n);
    if (random_.below(8) == 0) asked.amount += Fen{1};
    if (random_.below(20) == 0) asked.giftId += 1;
    submit(nodes_[random_.below(2)], asked);
    if (random_.below(10) == 0) submit(nodes_[random_.below(2)], asked);
  }

  void step() {
    if (!healed_) {
      const auto dice = random_.below(100);
      if (dice < 40) return submitSome();
      if (dice < 45) return moveClock();
      if (dice < 48 && !delayed_.empty()) return commitDelayed(random_.below(delayed_.size()));
    }
    act(nodes_[random_.below(2)]);
    for (auto& node : nodes_) collect(node);
    auditTable();
  }

  void moveClock() {
    const auto by = static_cast<std::int64_t>(random_.below(30));
    now_ = random_.below(8) == 0 ? now_ - ms(by) : now_ + ms(by);
    for (auto& node : nodes_) {
      node.lane.expire(now_);
      collect(node);
    }
  }

  // A statement whose connection was lost reaches the table after all, or fails there unseen.
  void commitDelayed(std::size_t at) {
    (void)table_.insert(delayed_[at]);
    delayed_.erase(delayed_.begin() + static_cast<std::ptrdiff_t>(at));
    auditTable();
  }

  void act(Node& node) {
    const auto action = node.lane.next(now_);
    const auto dice = healed_ ? 99 : random_.below(100);
    if (const auto* insert = std::get_if<Lane::Insert>(&action)) {
      const std::vector<NumberedTip> rows(insert->rows.begin(), insert->rows.end());
      if (node.sent) {
        ASSERT_TRUE(sameRows(*node.sent, rows)) << "a statement under way changed";
      }
      node.sent = rows;
      if (dice < 25) return;  // still under way
      node.sent.reset();
      if (dice < 30) return node.lane.onRolledBack();
      if (dice < 33) return refuse(node);
      const bool inserted = dice >= 45 && table_.insert(rows);
      if (dice < 55) {
        if (dice >= 38 && dice < 45) delayed_.push_back(rows);
        return node.lane.onLost();
      }
      if (inserted) return node.lane.onInserted();
      return node.lane.onDuplicate();
    }
    if (std::holds_alternative<Lane::Idle>(action)) return;
    if (dice < 20) return node.lane.onLost();
    if (const auto* lookUp = std::get_if<Lane::LookUp>(&action)) {
      return node.lane.onFound(table_.lookUp(lookUp->traceIds));
    }
    node.lane.onProbed(table_.has(std::get<Lane::Probe>(action).first));
  }

  void collect(Node& node) {
    for (const auto& tipCommitted : node.lane.takeCommitted()) {
      ASSERT_EQ(seqOf(tipCommitted.id).value, static_cast<std::int64_t>(node.committed.size()) + 1);
      node.committed.push_back(tipCommitted);
    }
    for (const auto& answer : node.lane.takeAnswers()) auditAnswer(answer);
  }

  void auditAnswer(const TipAnswer& answer) {
    ASSERT_TRUE(asked_.contains(answer.ticket)) << "an answer nobody waits for";
    auto& asked = asked_[answer.ticket];
    ASSERT_FALSE(asked.answer) << "ticket " << answer.ticket << " is answered twice";
    asked.answer = answer;
    const auto* row = table_.find(asked.tip.traceId);
    switch (answer.outcome) {
      case TipOutcome::created:
        ASSERT_NE(row, nullptr) << "acknowledged, and not in the table";
        ASSERT_TRUE(sameRow(*row, {answer.id, answer.acceptedAt, asked.tip}))
            << "the row is not what ticket " << answer.ticket << " gave";
        return;
      case TipOutcome::exists:
        ASSERT_NE(row, nullptr) << "said to exist, and not in the table";
        ASSERT_EQ(row->id, answer.id);
        ASSERT_EQ(row->acceptedAt, answer.acceptedAt);
        ASSERT_TRUE(sameContent(row->tip, asked.tip));
        ASSERT_NE(row->tip.message, asked.tip.message) << "created, and told that it existed";
        return;
      case TipOutcome::conflict:
        ASSERT_NE(row, nullptr) << "in conflict with nothing";
        ASSERT_FALSE(sameContent(row->tip, asked.tip));
        return;
      case TipOutcome::unavailable:
      case TipOutcome::unknown:
        return;
      case TipOutcome::overloaded:
        FAIL() << "said before a tip is queued, and never by the lane itself";
    }
  }

  // I5: numbers without holes, in every state the table is ever in; times in number order. Rows
  // never change, so that each is looked at once.
  void auditTable() {
    for (auto& past : pastLanes_) auditLane(past);
    for (auto& node : nodes_) {
      auditLane(node.audited);
      const auto known = static_cast<std::int64_t>(node.committed.size());
      ASSERT_EQ(node.lane.lastCommitted().value, known);
      ASSERT_LE(known, node.audited.last.value) << "known to be committed, and not in the table";
    }
  }
  void auditLane(Audited& audited) {
    for (const auto& row : table_.ofLane(audited.lane, audited.last)) {
      ASSERT_EQ(seqOf(row.id).value, audited.last.value + 1) << "a hole";
      ASSERT_GE(row.acceptedAt, audited.lastTime);
      audited.last = seqOf(row.id);
      audited.lastTime = row.acceptedAt;
    }
  }

  // Numbers that a lost statement may still take are left behind with their lane.
  void refuse(Node& node) {
    try {
      node.lane.onRefused();
    } catch (const BrokenInvariant&) {
      node.lane.abandon();
      collect(node);
      pastLanes_.push_back(node.audited);
      node = Node(LaneId{nextLane_++}, node.limits);
    }
  }

  void auditEnd() {
    ASSERT_FALSE(failed());
    ASSERT_TRUE(resting());
    for (const auto& node : nodes_) {
      ASSERT_TRUE(sameRows(node.committed, table_.ofLane(node.lane.id())))
          << "what is in the table and what the lane knows of differ";
    }
    // I2, I3: each traceId stands there exactly once, as one of those who asked gave it.
    ASSERT_EQ(table_.size(), kTraces);
    std::map<TipOutcome, int> outcomes;
    for (const auto& [ticket, asked] : asked_) {
      ASSERT_TRUE(asked.answer) << "ticket " << ticket << " was never answered";
      ++outcomes[asked.answer->outcome];
      const auto* row = table_.find(asked.tip.traceId);
      ASSERT_NE(row, nullptr);
      const bool wroteIt = row->tip.message == asked.tip.message;
      switch (asked.answer->outcome) {
        case TipOutcome::created:
          ASSERT_TRUE(wroteIt);
          break;
        case TipOutcome::exists:
        case TipOutcome::conflict:
        case TipOutcome::unavailable:
          ASSERT_FALSE(wroteIt) << "ticket " << ticket << " was told that it wrote nothing";
          break;
        case TipOutcome::unknown:
        case TipOutcome::overloaded:
          break;
      }
    }
    // A run that never came near what it is about proves nothing.
    ASSERT_FALSE(pastLanes_.empty());
    for (const auto outcome : {TipOutcome::created, TipOutcome::exists, TipOutcome::conflict,
                               TipOutcome::unavailable, TipOutcome::unknown}) {
      ASSERT_GT(outcomes[outcome], 0) << "outcome " << static_cast<int>(outcome);
    }
  }

  SeededRandom random_;
  TipTable table_;
  std::vector<Node> nodes_;
  std::vector<std::vector<NumberedTip>> delayed_;
  std::vector<Audited> pastLanes_;
  std::int64_t nextLane_ = 10;
  std::map<Ticket, Asked> asked_;
  Ticket lastTicket_ = 0;
  Time now_ = kNow;
  bool healed_ = false;
};

TEST(TwoLanesAtOneTable, lose_nothing_double_nothing_and_answer_everyone_once) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    TwoLanes lanes(seed);
    lanes.run(6'000);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace tipflow::audience
