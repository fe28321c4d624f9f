// Watches every commit and every answer of a run. Shares types and no rule, arithmetic or statement
// with what it watches; at the end it hands all rows to the product's own checkers.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "audit/outcomes.h"
#include "coverage.h"
#include "tables.h"

namespace tipflow::sim {

struct Violation {
  std::string invariant;  ///< I1 to I11, or `liveness`
  std::string what;
};

/// Invariants whose checks are switched off, to see that this is noticed.
using Blind = std::set<std::string, std::less<>>;

/// What an anchor was told of a withdrawal.
struct WithdrawalTold {
  enum class Word { stands, insufficient, conflict, unavailable, unknown };
  Word word = Word::unknown;
  std::optional<finance::Withdrawal> withdrawal;
};

class Auditor {
 public:
  Auditor(Scheduler& scheduler, Db1& db1, Db2& db2, const Blind& blind);

  /// The first one found.
  [[nodiscard]] const std::optional<Violation>& violation() const { return violation_; }
  void report(std::string invariant, std::string what);

  // What clients hear ---------------------------------------------------------------------------
  void tipTold(const audit::ClientEntry& entry);
  void withdrawalTold(const finance::WithdrawalRequest& asked, const WithdrawalTold& told);
  /// The provider sends money, which cannot be undone.
  void moneySent(WithdrawalId key, Fen amount);

  /// Everything accepted is settled, and every withdrawal final.
  [[nodiscard]] bool drained() const;
  [[nodiscard]] std::string whatIsLeft() const;

  /// The product's checkers over what stands now; payouts as the provider knows them.
  void auditBooks(const std::vector<audit::PayoutRow>& payouts);
  /// The same, with the books as they were copied earlier and the tips as they are now.
  std::function<void()> auditWithTipsLater(const std::vector<audit::PayoutRow>& payouts);
  void auditOutcomes();

 private:
  void watchTips();
  void watchLedger();
  void watchAccounts();
  void watchWithdrawals();
  void watchJobs();
  [[nodiscard]] std::int64_t rateInForce(std::int64_t anchor, std::int64_t at) const;
  void addBooks(audit::Books& books, const std::vector<audit::PayoutRow>& payouts) const;
  void addTips(audit::Books& books, const std::map<TipId, BookedTip>& ledger) const;
  void judge(const std::vector<audit::Finding>& findings);

  Scheduler& scheduler_;
  Db1& db1_;
  Db2& db2_;
  const Blind& blind_;
  std::optional<Violation> violation_;
  std::vector<audit::ClientEntry> entries_;
  std::map<std::int64_t, std::int64_t> lastTipOf_, lastBookedOf_;  // by lane
  std::map<std::int64_t, std::int64_t> sentFen_;                   // by withdrawal
  std::map<TraceId, WithdrawalId> withdrawalOf_;
  std::map<std::int64_t, int> toldFinal_;  // withdrawal -> state
};

}  // namespace tipflow::sim
