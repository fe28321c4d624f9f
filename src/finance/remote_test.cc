// The way to a ledger of another node, with a real server on the other side.
#include "finance/remote.h"

#include <gtest/gtest.h>

#include "platform/rpc/fake_node.h"

namespace tipflow::finance {
namespace {

using Mood = rpc::FakeNode::Mood;

class RemoteFinanceTest : public ::testing::Test {
 protected:
  RemoteFinanceTest() { registry.add({"node", "finance", "127.0.0.1", node.port(), "1"}); }
  static LedgerBatch batch() {
    LedgerBatch made{LaneId{2}, LaneSeq{5}, LaneSeq{6}, {}, std::nullopt, Time{1}, {}};
    for (const std::int64_t seq : {5, 6}) {
      made.tips.push_back({tipIdOf(LaneId{2}, LaneSeq{seq}), AnchorId{1}, ViewerId{2}, Fen{100},
                           Gender::male, Gender::female, Time{1}});
    }
    return made;
  }

  rpc::FakeNode node;
  LocalRegistry registry;
  rpc::Connections connections;
  SystemClock clock;
  SeededRandom random{1};
  Metrics metrics;
  rpc::Caller caller{"finance",
                     registry,
                     connections,
                     [](auto, const auto&, const auto&) {
                       return std::vector<std::pair<std::string, std::string>>{};
                     },
                     clock,
                     random,
                     metrics};
  RemoteFinance remote{caller};
};

TEST_F(RemoteFinanceTest, a_batch_is_applied_when_the_other_side_says_so) {
  node.say("200 OK", R"({"status":"applied","cursor":6})");
  const auto answer = remote.openLedger()->apply(batch());
  EXPECT_EQ(answer.status, BatchStatus::applied);
  EXPECT_EQ(answer.cursor, LaneSeq{6});
  EXPECT_TRUE(node.last().starts_with("POST /internal/v1/ledger/batches "));
}

TEST_F(RemoteFinanceTest, a_conflict_brings_the_cursor_and_a_batch_held_back_waits) {
  const auto ledger = remote.openLedger();
  node.say("409 Conflict", R"({"status":"conflict","cursor":9})");
  const auto conflict = ledger->apply(batch());
  EXPECT_EQ(conflict.status, BatchStatus::conflict);
  EXPECT_EQ(conflict.cursor, LaneSeq{9});
  node.say("425 Too Early", R"({"status":"held_back","cursor":0})");
  EXPECT_EQ(ledger->apply(batch()).status, BatchStatus::heldBack);
}

TEST_F(RemoteFinanceTest, a_batch_whose_answer_is_lost_is_of_unknown_outcome_and_sent_once) {
  node.be(Mood::breakingOff);
  EXPECT_EQ(remote.openLedger()->apply(batch()).status, BatchStatus::unknown);
  EXPECT_EQ(node.requests(), 1);
}

TEST_F(RemoteFinanceTest, a_batch_that_was_certainly_not_applied_failed) {
  node.be(Mood::overloaded);
  EXPECT_EQ(remote.openLedger()->apply(batch()).status, BatchStatus::failed);
  registry.removeNode("node");
  EXPECT_EQ(remote.openLedger()->apply(batch()).status, BatchStatus::failed);
}

TEST_F(RemoteFinanceTest, an_answer_that_this_batch_cannot_have_is_believed_by_nobody) {
  node.say("200 OK", R"({"status":"applied","cursor":5})");
  EXPECT_EQ(remote.openLedger()->apply(batch()).status, BatchStatus::unknown);
}

TEST_F(RemoteFinanceTest, a_cursor_is_asked_for_and_throws_while_finance_is_away) {
  const auto ledger = remote.openLedger();
  node.say("200 OK", R"({"cursor":4})");
  EXPECT_EQ(ledger->cursor(LaneId{2}), LaneSeq{4});
  EXPECT_TRUE(node.last().starts_with("GET /internal/v1/ledger/cursors/2 "));
  node.be(Mood::overloaded);
  EXPECT_THROW((void)ledger->cursor(LaneId{2}), db::Error);
}

}  // namespace
}  // namespace tipflow::finance
