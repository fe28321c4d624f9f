#include "audit/books.h"

#include <fmt/format.h>

namespace tipflow::audit {
namespace {

constexpr std::int64_t kHourUs = 3'600'000'000;
constexpr std::int64_t kUnits = 10'000;
constexpr std::size_t kExamples = 5;

std::int64_t laneOfTip(std::int64_t tipId) { return tipId >> 33; }
std::int64_t seqOfTip(std::int64_t tipId) { return tipId & ((std::int64_t{1} << 33) - 1); }

std::string text(__int128 value) {
  if (value < 0) return "-" + text(-value);
  std::string digits;
  do {
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(value % 10)));
    value /= 10;
  } while (value != 0);
  return digits;
}

}  // namespace

// Of the fields that tips and ledger share. Each is mixed in before the next, so that values which
// swap places do not cancel out.
void Books::Total::add(const TipRow& row) {
  std::uint64_t hash = 0;
  for (const std::int64_t field :
       {row.tipId, row.anchorId, row.viewerId, row.amount, row.acceptedAt,
        std::int64_t{row.anchorGender}, std::int64_t{row.viewerGender}}) {
    hash = (hash ^ static_cast<std::uint64_t>(field)) * 0x9FB21C651E98DF25ULL;
    hash ^= hash >> 28;
  }
  ++count;
  amount += row.amount;
  hashes += hash;
}

void Books::Faults::add(std::string example) {
  ++count;
  if (examples.size() < kExamples) examples.push_back(std::move(example));
}

void Books::addRate(const RateRow& row) { rates_[row.anchorId].push_back(row); }

void Books::addCursor(std::int64_t lane, std::int64_t lastSeq, std::int64_t amount) {
  lanes_[lane].cursor = lastSeq;
  lanes_[lane].cursorAmount = amount;
}

// A cursor that went back leaves two batches with one number, one that jumped a gap.
void Books::addBatch(const BatchRow& row) {
  auto& lane = lanes_[row.lane];
  if (row.fromSeq != lane.lastBatchEnd + 1 || row.toSeq < row.fromSeq) {
    i5_.add(fmt::format("lane {}: batch {} to {} follows number {}", row.lane, row.fromSeq,
                        row.toSeq, lane.lastBatchEnd));
  }
  lane.lastBatchEnd = row.toSeq;
}

// The latest start not after `at`; of equal starts the one set down last. Looked for one by one, on
// purpose: nothing here to get wrong.
std::int64_t Books::rateFor(std::int64_t anchor, std::int64_t at) const {
  for (const std::int64_t owner : {anchor, std::int64_t{0}}) {
    const RateRow* best = nullptr;
    if (const auto found = rates_.find(owner); found != rates_.end()) {
      for (const auto& row : found->second) {
        if (row.effectiveFrom <= at &&
            (best == nullptr || row.effectiveFrom >= best->effectiveFrom)) {
          best = &row;
        }
      }
    }
    if (best != nullptr) return best->shareBp;
  }
  return -1;
}

void Books::seeTip(const TipRow& tip) {
  auto& lane = lanes_[laneOfTip(tip.tipId)];
  const auto seq = seqOfTip(tip.tipId);
  if (seq != lane.lastTipSeq + 1) {
    i5_.add(
        fmt::format("lane {}: tip {} follows tip {}", laneOfTip(tip.tipId), seq, lane.lastTipSeq));
  }
  if (tip.acceptedAt < lane.lastAcceptedAt) {
    i5_.add(
        fmt::format("lane {}: tip {} is older than the one before it", laneOfTip(tip.tipId), seq));
  }
  lane.lastTipSeq = seq;
  lane.lastAcceptedAt = tip.acceptedAt;
  ++tips_;
  tipAmount_ += tip.amount;
  if (seq > lane.cursor) {
    ++inFlight_;
    inFlightAmount_ += tip.amount;
  } else {
    lane.given.add(tip);
    const auto rate = rateFor(tip.anchorId, tip.acceptedAt);
    owedToAnchor_[tip.anchorId] += static_cast<Wide>(tip.amount) * rate;
  }
}

void Books::seeLedger(const LedgerRow& row) {
  auto& lane = lanes_[laneOfTip(row.tip.tipId)];
  const auto seq = seqOfTip(row.tip.tipId);
  if (seq != lane.lastLedgerSeq + 1) {
    i5_.add(fmt::format("lane {}: ledger row {} follows row {}", laneOfTip(row.tip.tipId), seq,
                        lane.lastLedgerSeq));
  }
  if (seq > lane.cursor) {
    i5_.add(fmt::format("lane {}: ledger row {} lies beyond the cursor {}",
                        laneOfTip(row.tip.tipId), seq, lane.cursor));
  }
  if (seq <= lane.cursor) lane.settled.add(row.tip);
  lane.lastLedgerSeq = seq;
  lane.ledgerAmount += row.tip.amount;
  ++ledgerRows_;
  ledgerAmount_ += row.tip.amount;
  anchorUnits_ += row.anchorUnits;
  unitsOfAnchor_[row.tip.anchorId] += row.anchorUnits;
  const auto whole = static_cast<Wide>(row.tip.amount) * kUnits;
  if (row.anchorUnits < 0 || row.anchorUnits > whole ||
      row.anchorUnits != static_cast<Wide>(row.tip.amount) * row.shareBp) {
    i6_.add(fmt::format("tip {}: {} units of {} fen at {} bp", row.tip.tipId, row.anchorUnits,
                        row.tip.amount, row.shareBp));
  }
  const auto rate = rateFor(row.tip.anchorId, row.tip.acceptedAt);
  if (rate != row.shareBp) {
    i7_.add(fmt::format("tip {}: settled at {} bp, in force was {} bp", row.tip.tipId, row.shareBp,
                        rate));
  }
  auto& hour =
      hours_[{row.tip.anchorId, row.tip.acceptedAt - row.tip.acceptedAt % kHourUs, row.shareBp}];
  ++hour.tips;
  hour.amount += row.tip.amount;
  hour.units += row.anchorUnits;
}

void Books::addPair(const TipRow& tip, const LedgerRow& ledger) {
  seeTip(tip);
  seeLedger(ledger);
  const auto& other = ledger.tip;
  if (tip.anchorId != other.anchorId || tip.viewerId != other.viewerId ||
      tip.amount != other.amount || tip.acceptedAt != other.acceptedAt ||
      tip.anchorGender != other.anchorGender || tip.viewerGender != other.viewerGender) {
    lanes_[laneOfTip(tip.tipId)].rowsDiffer = true;
    i4_.add(fmt::format("tip {} differs from its ledger row", tip.tipId));
  }
}

void Books::addTipOnly(const TipRow& tip) {
  seeTip(tip);
  auto& lane = lanes_[laneOfTip(tip.tipId)];
  if (seqOfTip(tip.tipId) <= lane.cursor) {
    lane.rowsDiffer = true;
    i4_.add(fmt::format("tip {} is below the cursor and not in the ledger", tip.tipId));
  }
}

void Books::addLedgerOnly(const LedgerRow& ledger) {
  seeLedger(ledger);
  lanes_[laneOfTip(ledger.tip.tipId)].rowsDiffer = true;
  i4_.add(fmt::format("ledger row {} has no tip", ledger.tip.tipId));
}

void Books::addAccount(const AccountRow& row) { accounts_[row.anchorId] = row; }

void Books::addHour(const HourRow& row) {
  auto& sum = hours_[{row.anchorId, row.hour, row.shareBp}];
  if (sum.tips != row.tips || sum.amount != row.amount || sum.units != row.anchorUnits) {
    i6_.add(fmt::format("anchor {} hour {} rate {}: sums differ from the ledger's rows",
                        row.anchorId, row.hour, row.shareBp));
  }
  sum = {};
}

void Books::addWithdrawal(const WithdrawalRow& row) {
  withdrawals_[row.id] = row;
  if (!withdrawalTraceIds_.insert(row.traceId).second) {
    i10_.add(fmt::format("withdrawal {}: its traceId has another one", row.id));
  }
  if (row.state == 0) pendingOf_[row.anchorId] += row.amount;
  if (row.state == 1) paidOf_[row.anchorId] += row.amount;
}

void Books::addPayout(const PayoutRow& row) { payouts_[row.withdrawalId] = row; }

void Books::checkLane(std::int64_t id, const Lane& lane) {
  // Rows that differ one by one were reported one by one.
  if (!lane.rowsDiffer && lane.given != lane.settled) {
    i4_.add(fmt::format("lane {}: count, sum or sum of hashes of tips and ledger differ", id));
  }
  if (lane.cursor > lane.lastTipSeq) {
    i5_.add(fmt::format("lane {}: the cursor {} lies beyond the last tip {}", id, lane.cursor,
                        lane.lastTipSeq));
  }
  if (lane.lastLedgerSeq != lane.cursor || lane.ledgerAmount != lane.cursorAmount) {
    i5_.add(fmt::format("lane {}: the cursor {} and the ledger's rows disagree", id, lane.cursor));
  }
  if (lane.lastBatchEnd != lane.cursor) {
    i5_.add(fmt::format("lane {}: the last batch ends at {}, the cursor is {}", id,
                        lane.lastBatchEnd, lane.cursor));
  }
}

std::vector<Finding> Books::findings() {
  for (const auto& [id, lane] : lanes_) checkLane(id, lane);
  for (const auto& [key, sum] : hours_) {
    if (sum.tips != 0) {
      i6_.add(fmt::format("anchor {} hour {} rate {}: {} tips are not in the sums", key[0], key[1],
                          key[2], sum.tips));
    }
  }
  for (const auto& [anchor, units] : unitsOfAnchor_) {
    const auto account = accounts_.find(anchor);
    if (account == accounts_.end() || account->second.settledUnits != units) {
      i6_.add(fmt::format("anchor {}: the account and the ledger disagree", anchor));
    }
  }
  for (const auto& [anchor, owed] : owedToAnchor_) {
    if (owed != 0 && !accounts_.contains(anchor)) {
      i8_.add(fmt::format("anchor {}: no account, by tips and rates {} units", anchor, text(owed)));
    }
  }
  for (const auto& [anchor, account] : accounts_) {
    if (account.settledUnits != owedToAnchor_[anchor]) {
      i8_.add(fmt::format("anchor {}: settled {} units, by tips and rates {}", anchor,
                          account.settledUnits, text(owedToAnchor_[anchor])));
    }
    const Wide owed = (static_cast<Wide>(account.withdrawnFen) + account.reservedFen) * kUnits;
    if (account.settledUnits < 0 || account.withdrawnFen < 0 || account.reservedFen < 0 ||
        account.settledUnits < owed) {
      i9_.add(fmt::format("anchor {}: settled {} units, withdrawn {} fen, reserved {} fen", anchor,
                          account.settledUnits, account.withdrawnFen, account.reservedFen));
    }
    if (account.withdrawnFen != paidOf_[anchor] || account.reservedFen != pendingOf_[anchor]) {
      i10_.add(fmt::format("anchor {}: the account and its withdrawals disagree", anchor));
    }
  }
  for (const auto& [id, withdrawal] : withdrawals_) {
    const auto payout = payouts_.find(id);
    const bool paidOut = payout != payouts_.end() && payout->second.paid;
    if (paidOut && payout->second.amount != withdrawal.amount) {
      i10_.add(fmt::format("withdrawal {}: paid out another amount", id));
    }
    if ((withdrawal.state == 1 && !paidOut) || (withdrawal.state == 2 && paidOut)) {
      i10_.add(fmt::format("withdrawal {}: its state and the provider's disagree", id));
    }
    if (accounts_.find(withdrawal.anchorId) == accounts_.end()) {
      i10_.add(fmt::format("withdrawal {}: its anchor has no account", id));
    }
  }
  for (const auto& [id, payout] : payouts_) {
    if (!withdrawals_.contains(id)) i10_.add(fmt::format("payout {} has no withdrawal", id));
  }

  const auto finding = [](const char* id, const char* says, std::string figures, Faults& faults) {
    return Finding{id, says, std::move(figures), faults.count, std::move(faults.examples)};
  };
  return {
      finding("I4", "ledger = tips, up to each lane's cursor",
              fmt::format("tips {} ({} fen) = ledger {} ({} fen) + in flight {} ({} fen)", tips_,
                          text(tipAmount_), ledgerRows_, text(ledgerAmount_), inFlight_,
                          text(inFlightAmount_)),
              i4_),
      finding("I5", "no holes in a lane; cursors only went forward, and nothing lies beyond",
              fmt::format("{} lanes", lanes_.size()), i5_),
      finding(
          "I6", "anchor's and platform's parts sum to the tip; sums agree with rows",
          fmt::format("anchors {} + platform {} = {} units", text(anchorUnits_),
                      text(ledgerAmount_ * kUnits - anchorUnits_), text(ledgerAmount_ * kUnits)),
          i6_),
      finding("I7", "each tip is settled by the rate in force when it was accepted",
              fmt::format("{} tips, {} anchors with rates of their own", ledgerRows_,
                          rates_.size() - rates_.count(0)),
              i7_),
      finding("I8", "balances follow from tips and rates alone",
              fmt::format("{} accounts", accounts_.size()), i8_),
      finding("I9", "settled >= withdrawn + reserved, all >= 0",
              fmt::format("{} accounts", accounts_.size()), i9_),
      finding("I10", "one payout a withdrawal, final states stay",
              fmt::format("{} withdrawals, {} payouts", withdrawals_.size(), payouts_.size()),
              i10_),
  };
}

}  // namespace tipflow::audit
