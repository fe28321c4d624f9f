// The finance role's world as its API shows it.
#pragma once

#include <boost/describe.hpp>

#include <optional>
#include <string>
#include <vector>

#include "finance/rules.h"
#include "finance/withdrawal.h"
#include "platform/json.h"

namespace tipflow::finance {

enum class SandboxMode { pay, reject, timeout, payThenTimeout };

// Requests ------------------------------------------------------------------------------------

struct SetShareRate {
  Ranged<0, 10'000> shareBp;
  std::optional<Time> effectiveFrom;
};
BOOST_DESCRIBE_STRUCT(SetShareRate, (), (shareBp, effectiveFrom))

struct RequestWithdrawal {
  TraceId traceId;
  Ranged<1, kLargestWithdrawal.value> amount;
};
BOOST_DESCRIBE_STRUCT(RequestWithdrawal, (), (traceId, amount))

struct SetPayoutAccount {
  Text<1, 64> realName;
  Text<1, 64> bankAccount;
  Text<1, 32> phone;
};
BOOST_DESCRIBE_STRUCT(SetPayoutAccount, (), (realName, bankAccount, phone))

struct Sandbox {
  SandboxMode mode = SandboxMode::pay;
};
BOOST_DESCRIBE_STRUCT(Sandbox, (), (mode))

// Answers -------------------------------------------------------------------------------------

struct Balance {
  AnchorId anchorId;
  Fen settled;
  Fen withdrawn;
  Fen reserved;
  Fen available;
  Time asOf;
};
BOOST_DESCRIBE_STRUCT(Balance, (), (anchorId, settled, withdrawn, reserved, available, asOf))

struct NewShareRate {
  BasisPoints shareBp;
  Time effectiveFrom;
};
BOOST_DESCRIBE_STRUCT(NewShareRate, (), (shareBp, effectiveFrom))

struct ShownShareRate {
  BasisPoints shareBp;
  Time effectiveFrom;
  Time createdAt;
  bool inForce = false;
};
BOOST_DESCRIBE_STRUCT(ShownShareRate, (), (shareBp, effectiveFrom, createdAt, inForce))

struct ShownWithdrawal {
  WithdrawalId withdrawalId;
  TraceId traceId;
  Fen amount;
  WithdrawalState state = WithdrawalState::pending;
  Time createdAt;
};
BOOST_DESCRIBE_STRUCT(ShownWithdrawal, (), (withdrawalId, traceId, amount, state, createdAt))

/// As it is encrypted; never an answer.
BOOST_DESCRIBE_STRUCT(PayoutAccount, (), (realName, bankAccount, phone))

/// Masked.
struct ShownPayoutAccount {
  std::string realName;
  std::string bankAccount;
  std::string phone;
  Time updatedAt;
};
BOOST_DESCRIBE_STRUCT(ShownPayoutAccount, (), (realName, bankAccount, phone, updatedAt))

struct StatementItem {
  std::string day;
  BasisPoints shareBp;
  std::int64_t tips = 0;
  Fen amount;
  Units anchorUnits;
};
BOOST_DESCRIBE_STRUCT(StatementItem, (), (day, shareBp, tips, amount, anchorUnits))

struct StatementTotal {
  std::int64_t tips = 0;
  Fen amount;
  Units anchorUnits;
};
BOOST_DESCRIBE_STRUCT(StatementTotal, (), (tips, amount, anchorUnits))

struct Statement {
  AnchorId anchorId;
  Time from;
  Time to;
  std::vector<StatementItem> items;
  StatementTotal total;
};
BOOST_DESCRIBE_STRUCT(Statement, (), (anchorId, from, to, items, total))

struct Sum {
  std::int64_t count = 0;
  Fen amount;
};
BOOST_DESCRIBE_STRUCT(Sum, (), (count, amount))

struct LaneReport {
  LaneId lane;
  std::string node;
  bool open = false;
  std::int64_t tips = 0;
  std::int64_t ledger = 0;
  double lagSeconds = 0;
};
BOOST_DESCRIBE_STRUCT(LaneReport, (), (lane, node, open, tips, ledger, lagSeconds))

struct InvariantReport {
  std::string id;
  bool holds = false;
  std::int64_t figure = 0;  ///< by how much it is broken; 0 when it holds
};
BOOST_DESCRIBE_STRUCT(InvariantReport, (), (id, holds, figure))

struct Reconciliation {
  Time asOf;
  Sum tips;
  Sum ledger;
  Sum inFlight;
  Sum difference;
  std::vector<LaneReport> lanes;
  std::vector<InvariantReport> invariants;
};
BOOST_DESCRIBE_STRUCT(Reconciliation, (),
                      (asOf, tips, ledger, inFlight, difference, lanes, invariants))

inline ShownWithdrawal shown(const Withdrawal& w) {
  return {w.id, w.traceId, w.amount, w.state, w.createdAt};
}

}  // namespace tipflow::finance

template <>
struct tipflow::EnumWords<tipflow::finance::SandboxMode> {
  using Mode = finance::SandboxMode;
  static constexpr std::array values{
      std::pair{std::string_view{"pay"}, Mode::pay},
      std::pair{std::string_view{"reject"}, Mode::reject},
      std::pair{std::string_view{"timeout"}, Mode::timeout},
      std::pair{std::string_view{"pay_then_timeout"}, Mode::payThenTimeout}};
};
