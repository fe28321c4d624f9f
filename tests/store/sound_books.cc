#include "store/sound_books.h"

#include <algorithm>
#include <atomic>
#include <stdexcept>

#include "audience/tip_store.h"
#include "finance/ledger_driver.h"
#include "finance/store.h"
#include "platform/db/database.h"

namespace tipflow::fixture {
namespace {

constexpr std::size_t kStatement = 1'000;
constexpr std::size_t kBatch = 2'000;
// 08:30 UTC of a day long past.
constexpr Time kStart{20'484 * kUsPerDay + 17 * kUsPerHour / 2};

TraceId newTrace() {
  static std::atomic<std::uint64_t> made = 0;
  return {0x0192f3a4b5c67d8e, ++made};
}

void plantRate(db::Connection& c, AnchorId anchor, std::int32_t shareBp, Time from) {
  c.exec(
      "INSERT INTO share_rate (anchor_id, share_bp, effective_from, created_at, created_by) "
      "VALUES (?, ?, ?, 1, 'planted')",
      {anchor, shareBp, from});
}

void notePayout(db::Connection& c, WithdrawalId id, std::int64_t fen, bool paid) {
  c.exec("INSERT INTO sandbox_payout (withdrawal_id, amount, paid, at) VALUES (?, ?, ?, 1)",
         {id, fen, paid});
}

finance::Withdrawal reserve(db::Connection& c, AnchorId anchor, std::int64_t fen) {
  return db::transact(c, [&](db::Connection& t) {
    return finance::store::reserve(t, {newTrace(), anchor, Fen{fen}}, kStart);
  });
}

void finish(db::Connection& c, WithdrawalId id, finance::WithdrawalState state) {
  db::transact(c, [&](db::Connection& t) { return finance::store::finish(t, id, state, kStart); });
}

}  // namespace

SoundBooks::SoundBooks(Engine engine)
    : db1(engine, "db1"),
      db2(engine, "db2"),
      c1(db1.connect()),
      c2(db2.connect()),
      start_(kStart),
      pool_(std::make_unique<db::Database>("db2", db2.url(), db::PoolOptions{.threads = 1})) {
  finance::store::seed(*c2, BasisPoints{5'000});
  plantRate(*c2, AnchorId{31}, 6'000, acceptedAt(21));
  plantRate(*c2, AnchorId{33}, 3'333, Time{1});
  for (const std::int64_t lane : {1, 2, 3}) {
    const auto opened = audience::store::openLane(*c1, "node", "process", Duration{kUsPerHour});
    if (opened.value != lane) throw std::logic_error("a fresh database numbers lanes from 1");
  }
  give(LaneId{1}, 40);
  give(LaneId{2}, 40);
  give(LaneId{3}, 5);
  settle(LaneId{1}, LaneSeq{40});
  settle(LaneId{2}, LaneSeq{33});
  withdraw(AnchorId{31}, 100);
  const auto rejected = reserve(*c2, AnchorId{31}, 50);
  notePayout(*c2, rejected.id, 50, false);
  finish(*c2, rejected.id, finance::WithdrawalState::rejected);
  reserve(*c2, AnchorId{31}, 60);
  notePayout(*c2, reserve(*c2, AnchorId{31}, 70).id, 70, true);
}

SoundBooks::~SoundBooks() = default;

void SoundBooks::give(LaneId lane, std::int64_t count) {
  const auto c = db1.connect();
  const auto last = audience::store::lastSeq(*c, lane).value;
  std::vector<audience::NumberedTip> tips;
  for (auto seq = last + 1; seq <= last + count; ++seq) {
    audience::NumberedTip made;
    made.id = tipIdOf(lane, LaneSeq{seq});
    made.acceptedAt = std::min(acceptedAt(seq), acceptedAt(1'000));
    made.tip.traceId = newTrace();
    made.tip.viewer = ViewerId{900 + seq % 7};
    made.tip.anchor = AnchorId{31 + seq % 3};
    made.tip.room = RoomId{1'000'000 + made.tip.anchor.value};
    made.tip.session = SessionId{1};
    made.tip.amount = Fen{100 * lane.value + seq};
    made.tip.anchorGender = Gender::female;
    made.tip.viewerGender = Gender::male;
    tips.push_back(made);
    if (tips.size() == kStatement || seq == last + count) {
      audience::store::insertTips(*c, tips);
      tips.clear();
    }
  }
}

void SoundBooks::settle(LaneId lane, LaneSeq seq) {
  const auto c = db1.connect();
  finance::LedgerDriver driver(*pool_);
  auto at = driver.cursor(lane);
  while (at < seq) {
    const auto size = std::min(kBatch, static_cast<std::size_t>(seq.value - at.value));
    finance::LedgerBatch batch;
    batch.lane = lane;
    batch.from = LaneSeq{at.value + 1};
    batch.tips = audience::store::ledgerTips(*c, lane, at, size);
    batch.to = LaneSeq{at.value + static_cast<std::int64_t>(batch.tips.size())};
    batch.pushedAt = kStart;
    if (driver.apply(batch).status != finance::BatchStatus::applied) {
      throw std::runtime_error("a batch was not applied");
    }
    at = batch.to;
  }
}

void SoundBooks::withdraw(AnchorId anchor, std::int64_t fen) {
  const auto c = db2.connect();
  const auto made = reserve(*c, anchor, fen);
  notePayout(*c, made.id, fen, true);
  finish(*c, made.id, finance::WithdrawalState::paid);
}

}  // namespace tipflow::fixture
