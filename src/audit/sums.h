// The auditor of analysis (I12): adds the ledger up again, ranks again, and compares with what
// analysis has. It shares no rule, SQL or arithmetic with it. Pure: rows come in through `add…`,
// the finding goes out.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "audit/books.h"

namespace tipflow::audit {

/// A row of `hourly_tip`, `hourly_sum` (anchor 0) or `daily_tip` (a day for the hour).
struct CellRow {
  std::int64_t hour, anchorId, anchorGender, viewerGender, amount, tips, anchorUnits;
};
struct ViewerTotalRow {
  std::int64_t viewerId, total, tips, firstAt, lastAt;
};
struct PortraitRow {
  std::int64_t viewerId, total, tips, place, tier;
};
struct TierRow {
  std::int64_t tier, viewers, total, least, most;
};

class Sums {
 public:
  /// `dayOf`: the business day in which the UTC hour that begins at this instant (µs) lies.
  explicit Sums(std::function<std::int64_t(std::int64_t)> dayOf) : dayOf_(std::move(dayOf)) {}

  // First: how far the sums and the published round go.
  void addProgress(std::int64_t lane, std::int64_t lastSeq, std::int64_t amount);
  void addCutoff(std::int64_t lane, std::int64_t lastSeq);
  /// There is a published round, of so many tips and viewers.
  void setRound(std::int64_t tips, std::int64_t viewers);
  // Then the ledger, each lane's rows in order of their numbers.
  void addLedger(const LedgerRow& row);
  // Then what analysis has.
  void addCell(const CellRow& row) { compare(cells_, row, "hour"); }
  void addHour(const CellRow& row) { compare(hours_, row, "hour of all anchors"); }
  void addDay(const CellRow& row) { compare(days_, row, "day"); }
  /// Of `daily_payer`: the bits of viewers from block * 32,768 on.
  void addPayers(std::int64_t day, std::int64_t block, std::string_view bits);
  void addTotal(const ViewerTotalRow& row);
  void addPortrait(const PortraitRow& row);
  void addTier(const TierRow& row);

  /// The sums are being emptied: nothing can be said of them.
  void skip() { skipped_ = true; }
  /// After the last row.
  Finding finding();

 private:
  using Wide = __int128;
  using Key = std::array<std::int64_t, 4>;
  struct Cell {
    Wide amount = 0, tips = 0, units = 0;
  };
  struct Viewer {
    Wide total = 0;
    std::int64_t tips = 0, firstAt = 0, lastAt = 0;
    Wide rankedTotal = 0;  // up to the round's cutoff
    std::int64_t rankedTips = 0;
    bool hasTotal = false, hasPortrait = false;
  };
  struct Lane {
    std::int64_t progress = 0, cutoff = 0, last = 0;
    Wide progressAmount = 0, amount = 0;
  };

  void fault(std::string example);
  void compare(std::map<Key, Cell>& cells, const CellRow& row, const char* what);
  void expectEmpty(const std::map<Key, Cell>& cells, const char* what);
  void checkLanes();
  void checkViewers();
  void checkTiers();
  void rank();
  [[nodiscard]] std::int64_t placeOf(Wide total) const;
  [[nodiscard]] std::int64_t tierOf(std::int64_t place) const;

  std::function<std::int64_t(std::int64_t)> dayOf_;
  std::unordered_map<std::int64_t, std::int64_t> dayOfHour_;
  std::map<std::int64_t, Lane> lanes_;
  std::map<Key, Cell> cells_, hours_, days_;
  std::map<std::array<std::int64_t, 2>, std::vector<bool>> payers_;  // of a day and block
  std::unordered_map<std::int64_t, Viewer> viewers_;
  std::vector<Wide> falling_;  // totals of the round
  bool skipped_ = false;
  bool ranked_ = false;
  bool hasRound_ = false;
  std::int64_t roundTips_ = 0, roundViewers_ = 0;
  std::map<std::int64_t, TierRow> tiers_;
  std::int64_t counted_ = 0, compared_ = 0, portraits_ = 0;
  std::int64_t faults_ = 0;
  std::vector<std::string> examples_;
};

}  // namespace tipflow::audit
