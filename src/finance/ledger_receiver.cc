#include "finance/ledger_receiver.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace tipflow::finance {

LedgerReceiver::Step LedgerReceiver::start() const {
  const auto refuse = [](const char* why) { return Done{{BatchStatus::failed, {}}, why}; };
  if (batch_.from.value < 1 || batch_.to < batch_.from) return refuse("empty or reversed range");
  if (batch_.to.value >= kLaneSeqEnd || batch_.lane.value < 1 || batch_.lane.value >= kLaneEnd) {
    return refuse("numbers that no lane has");
  }
  if (batch_.to.value - batch_.from.value + 1 != static_cast<std::int64_t>(batch_.tips.size())) {
    return refuse("the range and the number of tips differ");
  }
  Fen amount;
  std::int64_t seq = batch_.from.value;
  for (const auto& tip : batch_.tips) {
    if (tip.id != tipIdOf(batch_.lane, LaneSeq{seq++})) return refuse("tips are not in order");
    if (tip.amount.value <= 0) return refuse("an amount is not positive");
    amount += tip.amount;
  }
  return MoveCursor{batch_.lane, batch_.from, batch_.to, amount};
}

LedgerReceiver::Step LedgerReceiver::onCursorMoved(std::int64_t rowsMatched) const {
  if (rowsMatched != 1) return ReadCursor{batch_.lane};
  ReadTerms step;
  for (const auto& tip : batch_.tips) step.anchors.push_back(tip.anchor);
  std::sort(step.anchors.begin(), step.anchors.end());
  step.anchors.erase(std::unique(step.anchors.begin(), step.anchors.end()), step.anchors.end());
  return step;
}

LedgerReceiver::Step LedgerReceiver::onCursorRead(LaneSeq cursor) const {
  return Done{{BatchStatus::conflict, cursor}, "the cursor stands elsewhere"};
}

LedgerReceiver::Step LedgerReceiver::onTerms(const Terms& terms) const {
  std::map<AnchorId, std::span<const ShareRate>> ratesOf;
  for (const auto& entry : terms.anchorRates) ratesOf[entry.anchor] = entry.rates;

  Book book;
  book.settledAt = terms.now;
  book.rows.reserve(batch_.tips.size());
  std::map<AnchorId, Units> credits;
  std::map<std::tuple<AnchorId, Time, BasisPoints>, HourSum> sums;
  for (const auto& tip : batch_.tips) {
    if (!mayBeSettled(tip.acceptedAt, terms.now)) {
      return Done{{BatchStatus::heldBack, {}}, "a tip is ahead of DB2's clock"};
    }
    if (terms.platformRates.empty() || terms.platformRates.front().effectiveFrom > tip.acceptedAt) {
      return Done{{BatchStatus::failed, {}}, "there is no platform share rate for that time"};
    }
    const auto platformRate = rateAt(terms.platformRates, tip.acceptedAt, BasisPoints{0});
    const auto rate = rateAt(ratesOf[tip.anchor], tip.acceptedAt, platformRate);
    const auto shares = split(tip.amount, rate);
    if (!shares) return Done{{BatchStatus::failed, {}}, "an amount cannot be split"};
    book.rows.push_back({tip, rate, shares->anchor});
    credits[tip.anchor] += shares->anchor;
    auto& sum = sums[{tip.anchor, startOfHour(tip.acceptedAt), rate}];
    ++sum.tips;
    sum.amount += tip.amount;
    sum.anchorUnits += shares->anchor;
  }
  for (const auto& [anchor, units] : credits) book.credits.push_back({anchor, units});
  for (auto& [key, sum] : sums) {
    std::tie(sum.anchor, sum.hour, sum.rate) = key;
    book.sums.push_back(sum);
  }
  return book;
}

}  // namespace tipflow::finance
