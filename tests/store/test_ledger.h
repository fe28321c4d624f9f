// For the store tests of analysis: a ledger as finance leaves it, and what an auditor would make of
// the sums and portraits made from it.
#pragma once

#include <map>
#include <random>
#include <vector>

#include "analysis/jobs.h"
#include "audit/read.h"
#include "store/database.h"

namespace tipflow::analysis {

/// A ledger that grows by random tips, the same in every run; written by SQL of its own.
class TestLedger {
 public:
  struct Tip {
    std::int64_t acceptedAt, anchor, viewer, anchorGender, viewerGender, amount, shareBp;
  };

  explicit TestLedger(db::Connection& connection) : connection_(connection) {}

  /// So many tips at the end of `lane`, `apart` from each other, settled at once.
  void add(std::int64_t lane, int count, Duration apart = Duration{600 * kUsPerSecond}) {
    for (int i = 0; i < count; ++i) {
      const auto anchor = pick(1, 6);
      addOne(lane, apart,
             {0, anchor, pick(1, 40) * (pick(0, 9) == 0 ? 1'000 : 1), anchor % 3, pick(0, 2),
              pick(1, 5'000), pick(0, 10'000)});
    }
    write();
  }
  /// One tip of that viewer.
  void give(std::int64_t lane, std::int64_t viewer, std::int64_t amount) {
    addOne(lane, Duration{kUsPerSecond}, {0, 1, viewer, 1, 1, amount, 5'000});
    write();
  }
  [[nodiscard]] const std::vector<Tip>& tips() const { return tips_; }
  /// By viewer, of all tips.
  [[nodiscard]] std::map<std::int64_t, std::int64_t> totals() const {
    std::map<std::int64_t, std::int64_t> totals;
    for (const auto& tip : tips_) totals[tip.viewer] += tip.amount;
    return totals;
  }

 private:
  std::int64_t pick(std::int64_t least, std::int64_t most) {
    return std::uniform_int_distribution<std::int64_t>(least, most)(random_);
  }
  void addOne(std::int64_t lane, Duration apart, Tip tip) {
    auto& end = ends_[lane];
    if (end.at == 0) end.at = kStart.us + lane * kUsPerSecond;
    end.at += apart.count();
    tip.acceptedAt = end.at;
    ++end.seq;
    end.amount += tip.amount;
    tips_.push_back(tip);
    rows_.insert(rows_.end(),
                 {(lane << 33) + end.seq, tip.anchor, tip.viewer, tip.amount, tip.shareBp,
                  tip.amount * tip.shareBp, tip.anchorGender, tip.viewerGender, tip.acceptedAt});
  }
  void write() {
    db::transact(connection_, [&](db::Connection& c) {
      c.insertRows(
          "INSERT INTO ledger (tip_id, anchor_id, viewer_id, amount, share_bp, anchor_units, "
          "anchor_gender, viewer_gender, accepted_at)",
          9, rows_, "");
      for (const auto& [lane, end] : ends_) {
        c.exec("DELETE FROM sync_cursor WHERE lane_id = ?", {lane});
        c.exec("INSERT INTO sync_cursor (lane_id, last_seq, amount) VALUES (?, ?, ?)",
               {lane, end.seq, end.amount});
      }
    });
    rows_.clear();
  }

  // The last afternoon of a business year in Shanghai.
  static constexpr Time kStart{20'453 * kUsPerDay + 9 * kUsPerHour};
  struct End {
    std::int64_t seq = 0, amount = 0, at = 0;
  };
  db::Connection& connection_;
  std::mt19937_64 random_{20'260'314};
  std::map<std::int64_t, End> ends_;
  std::vector<Tip> tips_;
  std::vector<db::Param> rows_;
};

/// What the auditor says of the sums and portraits: empty when nothing.
inline std::vector<std::string> faultsIn(db::Connection& connection, const BusinessTime& days) {
  auto sums = audit::readSums(
      connection, [&](std::int64_t hour) { return days.localHour(Time{hour}).day; },
      [](std::int64_t) {});
  const auto finding = sums.finding();
  EXPECT_EQ(finding.examples.empty(), finding.faults == 0);
  return finding.examples;
}

/// Work on a connection of its own, without a lease.
class PlainWork : public Work {
 public:
  explicit PlainWork(const fixture::TestDatabase& database) : connection_(database.connect()) {}
  db::Connection& connection() override { return *connection_; }
  void write(const std::function<void(db::Connection&)>& step) override {
    db::transact(connection(), step);
  }
  bool shouldStop() override { return stop; }
  void add(std::int64_t items) override { counted += items; }

  bool stop = false;
  std::int64_t counted = 0;

 private:
  std::unique_ptr<db::Connection> connection_;
};

}  // namespace tipflow::analysis
