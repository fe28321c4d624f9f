// What a stretch of the ledger adds to the sums of analysis. Pure: ledger rows in, sums out; what
// is done with them is the store's.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analysis/viewer_set.h"
#include "base/enums.h"
#include "base/ids.h"
#include "base/money.h"
#include "base/time.h"

namespace tipflow::analysis {

/// A ledger row, as far as it is counted.
struct LedgerTip {
  Time acceptedAt;
  AnchorId anchor;
  ViewerId viewer;
  Gender anchorGender = Gender::unknown;
  Gender viewerGender = Gender::unknown;
  Fen amount;
  Units anchorUnits;
};

struct Sum {
  Fen amount;
  std::int64_t tips = 0;
  Units anchorUnits;

  void add(const Sum& other) {
    amount += other.amount;
    tips += other.tips;
    anchorUnits += other.anchorUnits;
  }
  friend bool operator==(const Sum&, const Sum&) = default;
};

struct CellKey {
  Time hour;  ///< start of a UTC hour
  AnchorId anchor;
  Gender anchorGender = Gender::unknown;
  Gender viewerGender = Gender::unknown;
  friend auto operator<=>(const CellKey&, const CellKey&) = default;
};
struct DayKey {
  std::int64_t day = 0;
  AnchorId anchor;
  Gender anchorGender = Gender::unknown;
  Gender viewerGender = Gender::unknown;
  friend auto operator<=>(const DayKey&, const DayKey&) = default;
};
struct HourKey {
  Time hour;
  Gender anchorGender = Gender::unknown;
  Gender viewerGender = Gender::unknown;
  friend auto operator<=>(const HourKey&, const HourKey&) = default;
};

struct ViewerSum {
  ViewerId viewer;
  Fen total;
  std::int64_t tips = 0;
  Time firstAt;
  Time lastAt;
};

class Gathering {
 public:
  /// `dayOfHour`: the business day in which a UTC hour begins, in days since 1970.
  explicit Gathering(std::function<std::int64_t(Time hour)> dayOfHour)
      : dayOfHour_(std::move(dayOfHour)) {}
  // Hours point at the payers of their day: a copy's would be another's.
  Gathering(const Gathering&) = delete;
  Gathering& operator=(const Gathering&) = delete;
  Gathering(Gathering&&) = default;
  Gathering& operator=(Gathering&&) = default;

  void add(const LedgerTip& tip);

  [[nodiscard]] std::int64_t tips() const { return tips_; }
  /// How many cells and viewers there are: what it takes to keep this.
  [[nodiscard]] std::int64_t sums() const {
    return cellCount_ + static_cast<std::int64_t>(viewers_.size());
  }
  /// In the order of their keys.
  [[nodiscard]] std::vector<std::pair<CellKey, Sum>> cells() const;
  [[nodiscard]] std::map<HourKey, Sum> hours() const;
  [[nodiscard]] std::map<DayKey, Sum> days() const;
  /// In the order of their ids.
  [[nodiscard]] std::vector<ViewerSum> viewers() const;
  [[nodiscard]] const std::map<std::int64_t, ViewerSet>& payers() const { return payers_; }

 private:
  /// A cell within its hour.
  struct Place {
    AnchorId anchor;
    Gender anchorGender = Gender::unknown;
    Gender viewerGender = Gender::unknown;
    friend auto operator<=>(const Place&, const Place&) = default;
  };
  struct Hour {
    std::map<Place, Sum> cells;
    ViewerSet* payers = nullptr;  // of its day
  };
  Hour& hourAt(Time hour);

  std::function<std::int64_t(Time hour)> dayOfHour_;
  std::int64_t tips_ = 0;
  std::int64_t cellCount_ = 0;
  std::map<Time, Hour> hours_;
  std::unordered_map<ViewerId, ViewerSum> viewers_;
  std::map<std::int64_t, ViewerSet> payers_;  // by day
  // Tips of one lane come hour by hour.
  Time lastStart_{-1};
  Hour* last_ = nullptr;
};

}  // namespace tipflow::analysis
