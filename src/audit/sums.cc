#include "audit/sums.h"

#include <fmt/format.h>

#include <algorithm>

namespace tipflow::audit {
namespace {

constexpr std::int64_t kHourUs = 3'600'000'000;
constexpr std::int64_t kBlock = 32'768;
constexpr std::size_t kExamples = 5;

}  // namespace

void Sums::fault(std::string example) {
  ++faults_;
  if (examples_.size() < kExamples) examples_.push_back(std::move(example));
}

void Sums::addProgress(std::int64_t lane, std::int64_t lastSeq, std::int64_t amount) {
  lanes_[lane].progress = lastSeq;
  lanes_[lane].progressAmount = amount;
}

void Sums::addCutoff(std::int64_t lane, std::int64_t lastSeq) { lanes_[lane].cutoff = lastSeq; }

void Sums::setRound(std::int64_t tips, std::int64_t viewers) {
  hasRound_ = true;
  roundTips_ = tips;
  roundViewers_ = viewers;
}

void Sums::addLedger(const LedgerRow& row) {
  const auto& tip = row.tip;
  auto& lane = lanes_[tip.tipId >> 33];
  const auto seq = tip.tipId & ((std::int64_t{1} << 33) - 1);
  lane.last = seq;
  if (seq > lane.progress && seq > lane.cutoff) return;
  auto& viewer = viewers_[tip.viewerId];
  if (seq <= lane.cutoff) {
    viewer.rankedTotal += tip.amount;
    ++viewer.rankedTips;
  }
  if (seq > lane.progress) return;
  ++counted_;
  lane.amount += tip.amount;
  viewer.firstAt = viewer.tips == 0 ? tip.acceptedAt : std::min(viewer.firstAt, tip.acceptedAt);
  viewer.lastAt = std::max(viewer.lastAt, tip.acceptedAt);
  viewer.total += tip.amount;
  ++viewer.tips;
  const std::int64_t hour = tip.acceptedAt - tip.acceptedAt % kHourUs;
  const auto known = dayOfHour_.try_emplace(hour, 0);
  if (known.second) known.first->second = dayOf_(hour);
  const auto day = known.first->second;
  const auto count = [&](Cell& cell) {
    cell.amount += tip.amount;
    cell.tips += 1;
    cell.units += row.anchorUnits;
  };
  count(cells_[{hour, tip.anchorId, tip.anchorGender, tip.viewerGender}]);
  count(hours_[{hour, 0, tip.anchorGender, tip.viewerGender}]);
  count(days_[{day, tip.anchorId, tip.anchorGender, tip.viewerGender}]);
  auto& block = payers_[{day, tip.viewerId / kBlock}];
  block.resize(kBlock);
  block[static_cast<std::size_t>(tip.viewerId % kBlock)] = true;
}

void Sums::compare(std::map<Key, Cell>& cells, const CellRow& row, const char* what) {
  ++compared_;
  auto& cell = cells[{row.hour, row.anchorId, row.anchorGender, row.viewerGender}];
  if (cell.amount != row.amount || cell.tips != row.tips || cell.units != row.anchorUnits) {
    fault(fmt::format(
        "{} {}, anchor {}, genders {} and {}: {} fen and {} tips, which the ledger "
        "does not come to",
        what, row.hour, row.anchorId, row.anchorGender, row.viewerGender, row.amount, row.tips));
  }
  cell = {};
}

void Sums::expectEmpty(const std::map<Key, Cell>& cells, const char* what) {
  for (const auto& [key, cell] : cells) {
    if (cell.tips == 0) continue;
    fault(fmt::format("{} {}, anchor {}, genders {} and {}: {} tips are not in the sums", what,
                      key[0], key[1], key[2], key[3], static_cast<std::int64_t>(cell.tips)));
  }
}

void Sums::addPayers(std::int64_t day, std::int64_t block, std::string_view bits) {
  if (static_cast<std::int64_t>(bits.size()) * 8 != kBlock) {
    fault(fmt::format("day {}, block {}: {} bytes of viewers", day, block, bits.size()));
    return;
  }
  auto& expected = payers_[{day, block}];
  expected.resize(kBlock);
  for (std::size_t i = 0; i < kBlock; ++i) {
    const bool has = (static_cast<unsigned char>(bits[i / 8]) >> (i % 8) & 1) != 0;
    if (has == expected[i]) continue;
    fault(fmt::format("day {}: viewer {} {}", day, block * kBlock + static_cast<std::int64_t>(i),
                      has ? "is among the paying ones and did not tip"
                          : "tipped and is not among the paying ones"));
  }
  payers_.erase({day, block});
}

void Sums::addTotal(const ViewerTotalRow& row) {
  const auto found = viewers_.find(row.viewerId);
  if (found == viewers_.end() || found->second.tips == 0) {
    fault(fmt::format("viewer {}: has a total and no tips", row.viewerId));
    return;
  }
  auto& viewer = found->second;
  viewer.hasTotal = true;
  if (viewer.total != row.total || viewer.tips != row.tips || viewer.firstAt != row.firstAt ||
      viewer.lastAt != row.lastAt) {
    fault(fmt::format("viewer {}: total {} of {} tips, which the ledger does not come to",
                      row.viewerId, row.total, row.tips));
  }
}

void Sums::rank() {
  if (std::exchange(ranked_, true)) return;
  for (const auto& [_, viewer] : viewers_) {
    if (viewer.rankedTips > 0) falling_.push_back(viewer.rankedTotal);
  }
  std::sort(falling_.begin(), falling_.end(), std::greater<>());
}

// One more than there are larger totals.
std::int64_t Sums::placeOf(Wide total) const {
  return std::lower_bound(falling_.begin(), falling_.end(), total, std::greater<>()) -
         falling_.begin() + 1;
}

// 3 high, 2 middle, 1 low: whether (place - 1) / viewers is below 20/100, 80/100, or neither.
std::int64_t Sums::tierOf(std::int64_t place) const {
  const Wide percent = static_cast<Wide>(place - 1) * 100;
  const Wide viewers = static_cast<Wide>(falling_.size());
  if (percent < viewers * 20) return 3;
  return percent < viewers * 80 ? 2 : 1;
}

void Sums::addPortrait(const PortraitRow& row) {
  rank();
  ++portraits_;
  const auto found = viewers_.find(row.viewerId);
  if (found == viewers_.end() || found->second.rankedTips == 0) {
    fault(fmt::format("viewer {}: has a portrait and no tips", row.viewerId));
    return;
  }
  auto& viewer = found->second;
  viewer.hasPortrait = true;
  const auto place = placeOf(viewer.rankedTotal);
  const auto tier = tierOf(place);
  if (viewer.rankedTotal != row.total || viewer.rankedTips != row.tips || place != row.place ||
      tier != row.tier) {
    fault(
        fmt::format("viewer {}: portrait with total {}, rank {}, tier {}; by the ledger rank {}, "
                    "tier {}",
                    row.viewerId, row.total, row.place, row.tier, place, tier));
  }
}

void Sums::addTier(const TierRow& row) { tiers_[row.tier] = row; }

void Sums::checkTiers() {
  std::map<std::int64_t, TierRow> expected;
  for (std::int64_t tier = 1; tier <= 3; ++tier) expected[tier] = {tier, 0, 0, 0, 0};
  for (const auto& [_, viewer] : viewers_) {
    if (viewer.rankedTips == 0) continue;
    const auto total = static_cast<std::int64_t>(viewer.rankedTotal);
    auto& sum = expected[tierOf(placeOf(viewer.rankedTotal))];
    sum.least = sum.viewers == 0 ? total : std::min(sum.least, total);
    sum.most = std::max(sum.most, total);
    sum.total += total;
    ++sum.viewers;
  }
  for (const auto& [tier, sum] : expected) {
    const auto found = tiers_.find(tier);
    if (found == tiers_.end() || found->second.viewers != sum.viewers ||
        found->second.total != sum.total || found->second.least != sum.least ||
        found->second.most != sum.most) {
      fault(fmt::format("tier {}: its sums are not those of its viewers", tier));
    }
  }
}

void Sums::checkLanes() {
  Wide upToCutoff = 0;
  for (const auto& [id, lane] : lanes_) {
    upToCutoff += lane.cutoff;
    if (lane.progress > lane.last || lane.cutoff > lane.last) {
      fault(fmt::format("lane {}: counted up to {}, ranked up to {}, the ledger ends at {}", id,
                        lane.progress, lane.cutoff, lane.last));
    }
    if (lane.amount != lane.progressAmount) {
      fault(fmt::format("lane {}: its amount up to {} is another one", id, lane.progress));
    }
  }
  if (hasRound_ && upToCutoff != roundTips_) fault("the round does not count the tips it says");
}

void Sums::checkViewers() {
  for (const auto& [key, _] : payers_) {
    fault(fmt::format("day {}: nobody of block {} is among the paying ones", key[0], key[1]));
  }
  for (const auto& [id, viewer] : viewers_) {
    if (viewer.tips > 0 && !viewer.hasTotal) fault(fmt::format("viewer {}: has no total", id));
    if (hasRound_ && viewer.rankedTips > 0 && !viewer.hasPortrait) {
      fault(fmt::format("viewer {}: has no portrait", id));
    }
  }
}

Finding Sums::finding() {
  const char* says = "cube, totals and portraits are what the ledger comes to";
  if (skipped_) return {"I12", says, "are being added up anew: not compared", 0, {}};
  rank();
  expectEmpty(cells_, "hour");
  expectEmpty(hours_, "hour of all anchors");
  expectEmpty(days_, "day");
  checkLanes();
  checkViewers();
  if (hasRound_) {
    checkTiers();
    if (roundViewers_ != static_cast<std::int64_t>(falling_.size())) {
      fault(fmt::format("the round has {} viewers, by the ledger {}", roundViewers_,
                        falling_.size()));
    }
  }
  return {"I12", says,
          fmt::format("{} tips in {} cells, {} viewers; {} portraits", counted_, compared_,
                      viewers_.size(), portraits_),
          faults_, std::move(examples_)};
}

}  // namespace tipflow::audit
