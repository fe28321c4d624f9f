#include "auditor.h"

#include <fmt/format.h>

namespace tipflow::sim {
namespace {

std::int64_t laneNumber(TipId id) { return id.value / (std::int64_t{1} << 33); }
std::int64_t placeInLane(TipId id) { return id.value % (std::int64_t{1} << 33); }

bool sameTip(const audience::Tip& tip, const audit::TipContent& content) {
  return tip.viewer.value == content.viewerId && tip.room.value == content.roomId &&
         tip.amount.value == content.amount && tip.giftId == content.giftId &&
         tip.count == content.count;
}

audit::TipRow rowOf(const finance::LedgerTip& tip) {
  return {tip.id.value,
          tip.anchor.value,
          tip.viewer.value,
          tip.amount.value,
          tip.acceptedAt.us,
          static_cast<int>(tip.anchorGender),
          static_cast<int>(tip.viewerGender)};
}
audit::TipRow rowOf(const NumberedTip& tip) {
  return {tip.id.value,
          tip.tip.anchor.value,
          tip.tip.viewer.value,
          tip.tip.amount.value,
          tip.acceptedAt.us,
          static_cast<int>(tip.tip.anchorGender),
          static_cast<int>(tip.tip.viewerGender)};
}

}  // namespace

Auditor::Auditor(Scheduler& scheduler, Db1& db1, Db2& db2, const Blind& blind)
    : scheduler_(scheduler), db1_(db1), db2_(db2), blind_(blind) {
  watchTips();
  watchLedger();
  watchAccounts();
  watchWithdrawals();
  watchJobs();
}

void Auditor::report(std::string invariant, std::string what) {
  if (blind_.contains(invariant)) return;
  scheduler_.note(0xBAD, 0, [&] { return fmt::format("!! {}: {}", invariant, what); });
  if (!violation_) violation_ = Violation{std::move(invariant), std::move(what)};
}

// I1: nothing that stands is changed. I5: no holes, in number order.
void Auditor::watchTips() {
  db1_.tips.onCommit = [this](const TipId& id, const TipRow* before, const TipRow& after) {
    if (before != nullptr) return report("I1", fmt::format("tip {} was written over", id.value));
    auto& last = lastTipOf_[laneNumber(id)];
    if (placeInLane(id) != last + 1) {
      report("I5",
             fmt::format("lane {}: tip {} follows tip {}", laneNumber(id), placeInLane(id), last));
    }
    last = placeInLane(id);
    scheduler_.note(1, static_cast<std::uint64_t>(id.value), [&] {
      return fmt::format("    tip {}/{} stands: trace {}, {} fen", laneNumber(id), placeInLane(id),
                         after.tip.tip.traceId.low, after.tip.tip.amount.value);
    });
  };
}

// I4: the ledger is a prefix of each lane. I5: cursors go forward, with the rows. I6, I7: each row.
void Auditor::watchLedger() {
  db2_.ledger.onCommit = [this](const TipId& id, const BookedTip* before, const BookedTip& row) {
    const auto lane = laneNumber(id);
    if (before != nullptr) return report("I7", fmt::format("tip {} was settled twice", id.value));
    const auto tip = db1_.tips.committed().find(id);
    if (tip == db1_.tips.committed().end()) {
      return report("I4", fmt::format("ledger row {} has no tip", id.value));
    }
    const auto booked = rowOf(row.tip);
    const auto given = rowOf(tip->second.tip);
    if (booked.tipId != given.tipId || booked.anchorId != given.anchorId ||
        booked.viewerId != given.viewerId || booked.amount != given.amount ||
        booked.acceptedAt != given.acceptedAt) {
      report("I4", fmt::format("ledger row {} differs from its tip", id.value));
    }
    if (placeInLane(id) != lastBookedOf_[lane] + 1) {
      report("I4", fmt::format("lane {}: ledger row {} follows row {}", lane, placeInLane(id),
                               lastBookedOf_[lane]));
    }
    lastBookedOf_[lane] = placeInLane(id);
    const auto whole = booked.amount * 10'000;
    if (row.anchorUnits.value < 0 || row.anchorUnits.value > whole ||
        row.anchorUnits.value != booked.amount * row.rate.value) {
      report("I6", fmt::format("tip {}: {} units of {} fen at {} bp", id.value,
                               row.anchorUnits.value, booked.amount, row.rate.value));
    }
    if (const auto rate = rateInForce(booked.anchorId, booked.acceptedAt); rate != row.rate.value) {
      report("I7", fmt::format("tip {}: settled at {} bp, in force was {} bp", id.value,
                               row.rate.value, rate));
    }
  };
  db2_.cursors.onCommit = [this](const LaneId& lane, const CursorRow* before,
                                 const CursorRow& after) {
    const auto was = before == nullptr ? 0 : before->last.value;
    if (after.last.value < was) {
      report("I5", fmt::format("lane {}: the cursor went back from {} to {}", lane.value, was,
                               after.last.value));
    }
    scheduler_.note(2, static_cast<std::uint64_t>(after.last.value), [&] {
      return fmt::format("    cursor of lane {}: {} -> {}", lane.value, was, after.last.value);
    });
  };
  // A rate that covers a tip settled before it was set: that tip has the wrong one.
  db2_.rates.onCommit = [this](const std::int64_t&, const RateRow*, const RateRow& row) {
    for (const auto& [id, booked] : db2_.ledger.committed()) {
      const auto anchor = booked.tip.anchor.value;
      if (row.anchor.value != 0 && anchor != row.anchor.value) continue;
      if (booked.tip.acceptedAt < row.rate.effectiveFrom) continue;
      if (rateInForce(anchor, booked.tip.acceptedAt.us) == booked.rate.value) continue;
      report("I7", fmt::format("tip {} was settled at {} bp before a rate that covers it was set",
                               id.value, booked.rate.value));
    }
  };
}

std::int64_t Auditor::rateInForce(std::int64_t anchor, std::int64_t at) const {
  for (const std::int64_t owner : {anchor, std::int64_t{0}}) {
    const RateRow* best = nullptr;
    for (const auto& [id, row] : db2_.rates.committed()) {
      if (row.anchor.value != owner || row.rate.effectiveFrom.us > at) continue;
      if (best == nullptr || row.rate.effectiveFrom >= best->rate.effectiveFrom) best = &row;
    }
    if (best != nullptr) return best->rate.rate.value;
  }
  return -1;
}

void Auditor::watchAccounts() {
  db2_.accounts.onCommit = [this](const AnchorId& anchor, const AccountRow*,
                                  const AccountRow& row) {
    const auto out = (row.withdrawn.value + row.reserved.value) * 10'000;
    if (row.settled.value < 0 || row.withdrawn.value < 0 || row.reserved.value < 0 ||
        row.settled.value < out) {
      report("I9",
             fmt::format("anchor {}: settled {} units, withdrawn {} fen, reserved {} fen",
                         anchor.value, row.settled.value, row.withdrawn.value, row.reserved.value));
    }
  };
}

void Auditor::watchWithdrawals() {
  db2_.withdrawals.onCommit = [this](const WithdrawalId& id, const finance::Withdrawal* before,
                                     const finance::Withdrawal& after) {
    scheduler_.note(3, static_cast<std::uint64_t>(id.value), [&] {
      return fmt::format("    withdrawal {}: trace {}, {} fen, state {}", id.value,
                         after.traceId.low, after.amount.value, static_cast<int>(after.state));
    });
    if (before == nullptr) {
      const auto [other, isNew] = withdrawalOf_.try_emplace(after.traceId, id);
      if (!isNew) {
        report("I10", fmt::format("withdrawals {} and {} have one traceId", other->second.value,
                                  id.value));
      }
      return;
    }
    if (before->state != finance::WithdrawalState::pending && before->state != after.state) {
      report("I10", fmt::format("withdrawal {}: a final state was changed", id.value));
    }
    const bool sent = sentFen_.contains(id.value);
    if ((after.state == finance::WithdrawalState::paid && !sent) ||
        (after.state == finance::WithdrawalState::rejected && sent)) {
      report("I10", fmt::format("withdrawal {}: its state and what was sent disagree", id.value));
    }
  };
}

void Auditor::watchJobs() {
  db2_.jobs.onCommit = [this](const std::string& name, const JobRow* before, const JobRow& after) {
    const auto lease = db2_.leases.committed().find(name);
    const auto newest = lease == db2_.leases.committed().end() ? 0 : lease->second.epoch;
    if (after.epoch != newest || (before != nullptr && after.epoch < before->epoch)) {
      report("I11", fmt::format("{} wrote under epoch {}, the newest is {}", after.holder,
                                after.epoch, newest));
    }
  };
  db2_.leases.onCommit = [this](const std::string&, const schedule::LeaseRow* before,
                                const schedule::LeaseRow& after) {
    if (before != nullptr && after.epoch < before->epoch) {
      report("I11", "an epoch went back");
    }
    if (before != nullptr && after.holder != before->holder && after.epoch == before->epoch) {
      report("I11", "a lease changed hands within its epoch");
    }
  };
}

// I1, at the very moment of the answer: what is told stands.
void Auditor::tipTold(const audit::ClientEntry& entry) {
  entries_.push_back(entry);
  scheduler_.note(4, entry.traceId.low * 8 + static_cast<std::uint64_t>(entry.told), [&] {
    return fmt::format("<- trace {} ({} fen): {} {}/{}", entry.traceId.low, entry.content.amount,
                       word(entry.told), laneNumber(TipId{entry.tipId}),
                       placeInLane(TipId{entry.tipId}));
  });
  if (entry.told != audit::Told::created && entry.told != audit::Told::exists) return;
  const auto row = db1_.tips.committed().find(TipId{entry.tipId});
  if (row == db1_.tips.committed().end() || row->second.tip.tip.traceId != entry.traceId ||
      !sameTip(row->second.tip.tip, entry.content)) {
    report("I1", fmt::format("trace {} was acknowledged and does not stand so", entry.traceId.low));
  }
}

void Auditor::withdrawalTold(const finance::WithdrawalRequest& asked, const WithdrawalTold& told) {
  scheduler_.note(5, asked.traceId.low * 8 + static_cast<std::uint64_t>(told.word), [&] {
    return fmt::format("<- withdrawal trace {} ({} fen): word {}", asked.traceId.low,
                       asked.amount.value, static_cast<int>(told.word));
  });
  const auto row = withdrawalOf_.find(asked.traceId);
  const auto* stands = row == withdrawalOf_.end()
                           ? nullptr
                           : &db2_.withdrawals.committed().find(row->second)->second;
  const bool same =
      stands != nullptr && stands->anchor == asked.anchor && stands->amount == asked.amount;
  switch (told.word) {
    case WithdrawalTold::Word::stands: {
      const auto& heard = *told.withdrawal;
      if (!same || heard.id != stands->id) {
        return report("I10",
                      fmt::format("withdrawal {} was told and does not stand so", heard.id.value));
      }
      if (heard.state == finance::WithdrawalState::pending) return;
      if (stands->state != heard.state) {
        report("I10",
               fmt::format("withdrawal {}: told a final state that it has not", heard.id.value));
      }
      return;
    }
    case WithdrawalTold::Word::conflict:
      if (stands == nullptr || same) {
        report("I10",
               fmt::format("withdrawal trace {}: a conflict with nothing", asked.traceId.low));
      }
      return;
    case WithdrawalTold::Word::insufficient:
    case WithdrawalTold::Word::unavailable:
    case WithdrawalTold::Word::unknown:
      return;
  }
}

void Auditor::moneySent(WithdrawalId key, Fen amount) {
  scheduler_.note(6, static_cast<std::uint64_t>(key.value), [&] {
    return fmt::format("    {} fen are sent for withdrawal {}", amount.value, key.value);
  });
  const auto row = db2_.withdrawals.committed().find(key);
  if (row == db2_.withdrawals.committed().end()) {
    return report("I10", fmt::format("{} fen were sent for no withdrawal", amount.value));
  }
  if (row->second.amount != amount) {
    report("I10", fmt::format("withdrawal {}: another amount was sent", key.value));
  }
  if (row->second.state == finance::WithdrawalState::rejected) {
    report("I10", fmt::format("withdrawal {}: money was sent after it was rejected", key.value));
  }
  if (!sentFen_.try_emplace(key.value, amount.value).second) {
    report("I10", fmt::format("withdrawal {}: money was sent twice", key.value));
  }
}

bool Auditor::drained() const {
  if (db1_.tips.committed().size() != db2_.ledger.committed().size()) return false;
  for (const auto& [id, withdrawal] : db2_.withdrawals.committed()) {
    if (withdrawal.state == finance::WithdrawalState::pending) return false;
  }
  return true;
}

std::string Auditor::whatIsLeft() const {
  std::int64_t pending = 0;
  for (const auto& [id, withdrawal] : db2_.withdrawals.committed()) {
    if (withdrawal.state == finance::WithdrawalState::pending) ++pending;
  }
  return fmt::format("{} tips, {} of them settled; {} withdrawals pending",
                     db1_.tips.committed().size(), db2_.ledger.committed().size(), pending);
}

// The product's checkers --------------------------------------------------------------------------

void Auditor::addBooks(audit::Books& books, const std::vector<audit::PayoutRow>& payouts) const {
  for (const auto& [id, row] : db2_.rates.committed()) {
    books.addRate({row.anchor.value, row.rate.effectiveFrom.us, row.rate.rate.value});
  }
  for (const auto& [lane, row] : db2_.cursors.committed()) {
    books.addCursor(lane.value, row.last.value, row.amount.value);
  }
  for (const auto& [key, row] : db2_.batches.committed()) {
    books.addBatch({key.first.value, row.from.value, key.second.value});
  }
  for (const auto& [anchor, row] : db2_.accounts.committed()) {
    books.addAccount({anchor.value, row.settled.value, row.withdrawn.value, row.reserved.value});
  }
  for (const auto& [id, row] : db2_.withdrawals.committed()) {
    books.addWithdrawal(
        {id.value, row.anchor.value, row.amount.value, static_cast<int>(row.state), row.traceId});
  }
  for (const auto& payout : payouts) books.addPayout(payout);
}

void Auditor::addTips(audit::Books& books, const std::map<TipId, BookedTip>& ledger) const {
  const auto bookedRow = [](const BookedTip& row) {
    return audit::LedgerRow{rowOf(row.tip), row.rate.value, row.anchorUnits.value};
  };
  auto booked = ledger.begin();
  for (const auto& [id, row] : db1_.tips.committed()) {
    for (; booked != ledger.end() && booked->first < id; ++booked) {
      books.addLedgerOnly(bookedRow(booked->second));
    }
    if (booked != ledger.end() && booked->first == id) {
      books.addPair(rowOf(row.tip), bookedRow((booked++)->second));
    } else {
      books.addTipOnly(rowOf(row.tip));
    }
  }
  for (; booked != ledger.end(); ++booked) books.addLedgerOnly(bookedRow(booked->second));
}

void Auditor::judge(const std::vector<audit::Finding>& findings) {
  for (const auto& finding : findings) {
    if (finding.faults != 0) report(finding.id, finding.examples.front());
  }
}

std::function<void()> Auditor::auditWithTipsLater(const std::vector<audit::PayoutRow>& payouts) {
  const auto books = std::make_shared<audit::Books>();
  addBooks(*books, payouts);
  return [this, books, ledger = db2_.ledger.committed(), hours = db2_.hours.committed()] {
    addTips(*books, ledger);
    for (const auto& [key, row] : hours) {
      const auto& [anchor, hour, rate] = key;
      books->addHour(
          {anchor.value, hour.us, rate.value, row.tips, row.amount.value, row.anchorUnits.value});
    }
    judge(books->findings());
  };
}

void Auditor::auditBooks(const std::vector<audit::PayoutRow>& payouts) {
  auditWithTipsLater(payouts)();
}

void Auditor::auditOutcomes() {
  audit::Outcomes outcomes;
  for (const auto& entry : entries_) outcomes.addEntry(entry);
  for (const auto& [id, row] : db1_.tips.committed()) {
    const auto& tip = row.tip.tip;
    outcomes.addRow({tip.traceId,
                     {tip.viewer.value, tip.room.value, tip.amount.value, tip.giftId, tip.count},
                     id.value});
  }
  judge(outcomes.findings());
}

}  // namespace tipflow::sim
