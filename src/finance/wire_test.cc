#include "finance/wire.h"

#include <gtest/gtest.h>

#include "platform/http/router.h"

namespace tipflow::finance::wire {
namespace {

constexpr std::int64_t kLastLane = kLaneEnd - 1;

LedgerBatch batchOf(std::int64_t lane, std::int64_t from, std::int64_t count) {
  LedgerBatch batch{
      LaneId{lane}, LaneSeq{from}, LaneSeq{from + count - 1}, {}, Time{1'700}, {}, {}};
  batch.pushedAt = Time{1'763'842'000'000'123};
  for (std::int64_t i = 0; i < count; ++i) {
    batch.tips.push_back({tipIdOf(LaneId{lane}, LaneSeq{from + i}), AnchorId{7 + i}, ViewerId{9},
                          Fen{520}, Gender::female, Gender::unknown,
                          Time{1'763'842'000'000'000 + i}});
  }
  return batch;
}

TEST(LedgerWire, brings_every_field_of_a_batch_across) {
  auto sent = batchOf(3, 11, 2);
  const auto trace = *TraceId::parse("0af7651916cd43dd8448eb211c80319c");
  sent.traced.push_back({sent.tips[1].id, trace, TraceContext{trace, 0xb7, true}});
  const auto got = fromWire(json::readBody<Batch>(json::toText(toWire(sent))));
  EXPECT_EQ(got.lane, LaneId{3});
  EXPECT_EQ(got.from, LaneSeq{11});
  EXPECT_EQ(got.to, LaneSeq{12});
  EXPECT_EQ(got.committedAt, Time{1'700});
  EXPECT_EQ(got.pushedAt, sent.pushedAt);
  ASSERT_EQ(got.tips.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(got.tips[i].id, sent.tips[i].id);
    EXPECT_EQ(got.tips[i].anchor, sent.tips[i].anchor);
    EXPECT_EQ(got.tips[i].viewer, sent.tips[i].viewer);
    EXPECT_EQ(got.tips[i].amount, Fen{520});
    EXPECT_EQ(got.tips[i].anchorGender, Gender::female);
    EXPECT_EQ(got.tips[i].viewerGender, Gender::unknown);
    EXPECT_EQ(got.tips[i].acceptedAt, sent.tips[i].acceptedAt);
  }
  ASSERT_EQ(got.traced.size(), 1U);
  EXPECT_EQ(got.traced[0].tip, trace);
  EXPECT_EQ(got.traced[0].push.span, 0xb7U);
  EXPECT_TRUE(got.traced[0].push.sampled);
}

TEST(LedgerWire, the_largest_push_fits_what_a_node_takes) {
  auto batch = batchOf(kLastLane, kLaneSeqEnd - 2'001, 2'000);
  const auto trace = *TraceId::parse("0af7651916cd43dd8448eb211c80319c");
  for (auto& tip : batch.tips) {
    tip.anchor = AnchorId{kIdEnd - 1};
    tip.viewer = ViewerId{kIdEnd - 1};
    tip.amount = Fen{100'000'000};
    tip.viewerGender = Gender::unknown;
    batch.traced.push_back({tip.id, trace, TraceContext{trace, ~0ULL, true}});
  }
  const auto text = json::toText(toWire(batch));
  RecordProperty("bytes", static_cast<int>(text.size()));
  EXPECT_LT(text.size(), http::kBatchBodyLimit);
  EXPECT_EQ(fromWire(json::readBody<Batch>(text)).tips.size(), 2'000U);
}

TEST(LedgerWire, refuses_more_tips_than_a_push_has_and_fields_that_are_not_numbers) {
  const auto tooMany = json::toText(toWire(batchOf(1, 1, 2'001)));
  EXPECT_THROW((void)json::readBody<Batch>(tooMany), BadRequest);
  auto text = json::toText(toWire(batchOf(1, 1, 1)));
  text.replace(text.find("520"), 3, "5.2");
  EXPECT_THROW((void)json::readBody<Batch>(text), BadRequest);
}

TEST(LedgerWire, refuses_a_trace_that_is_none) {
  auto wire = toWire(batchOf(1, 1, 1));
  wire.traced.items.push_back({{1}, TraceId{}, {"nonsense"}});
  EXPECT_THROW((void)fromWire(wire), BadRequest);
}

TEST(LedgerWire, reads_an_answer_only_as_what_its_status_says) {
  const auto batch = batchOf(1, 5, 3);
  const auto applied = answerOf(200, R"({"status":"applied","cursor":7})", batch);
  ASSERT_TRUE(applied);
  EXPECT_EQ(applied->status, BatchStatus::applied);
  EXPECT_EQ(applied->cursor, LaneSeq{7});
  const auto conflict = answerOf(409, R"({"status":"conflict","cursor":2})", batch);
  ASSERT_TRUE(conflict);
  EXPECT_EQ(conflict->status, BatchStatus::conflict);
  EXPECT_EQ(conflict->cursor, LaneSeq{2});
  const auto heldBack = answerOf(425, R"({"status":"held_back","cursor":0})", batch);
  ASSERT_TRUE(heldBack);
  EXPECT_EQ(heldBack->status, BatchStatus::heldBack);

  EXPECT_FALSE(answerOf(200, R"({"status":"applied","cursor":6})", batch)) << "not all of it";
  EXPECT_FALSE(answerOf(200, R"({"status":"conflict","cursor":7})", batch));
  EXPECT_FALSE(answerOf(409, R"({"status":"applied","cursor":7})", batch));
  EXPECT_FALSE(answerOf(200, "{}", batch));
  EXPECT_FALSE(answerOf(200, "<html>", batch));
  EXPECT_FALSE(answerOf(404, R"({"status":"applied","cursor":7})", batch));
}

TEST(LedgerWire, tells_a_settlement_and_that_there_is_none) {
  const Settlement settled{BasisPoints{5'000}, Units{2'600'000}, Units{2'600'000}, Time{1},
                           std::nullopt,       Time{3},          Time{4}};
  const auto got = fromWire(json::readBody<SettlementReply>(json::toText(toWire(settled))));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->rate, BasisPoints{5'000});
  EXPECT_EQ(got->anchorUnits, Units{2'600'000});
  EXPECT_EQ(got->committedAt, std::nullopt);
  EXPECT_EQ(got->settledAt, Time{4});
  EXPECT_FALSE(fromWire(json::readBody<SettlementReply>(json::toText(toWire(std::nullopt)))));
}

}  // namespace
}  // namespace tipflow::finance::wire
