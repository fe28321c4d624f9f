#include "finance/service.h"

#include <algorithm>

#include "finance/ledger_driver.h"
#include "platform/deadline.h"
#include "platform/log.h"

namespace tipflow::finance {
namespace {

constexpr std::int64_t kLongestStatementDays = 366;
constexpr Duration kDefaultStatement{31 * kUsPerDay};
// How often a request looks whether another one has finished the same withdrawal.
constexpr double kAwaitStepSeconds = 0.02;
constexpr int kPendingAtOnce = 100;
// The books are compared without analysis rather than late.
constexpr Duration kAnalysisPatience{5 * kUsPerSecond};

Time endOfHour(Time time) {
  const Time start = startOfHour(time);
  return start == time ? start : start + Duration{kUsPerHour};
}

double seconds(Duration duration) {
  return static_cast<double>(duration.count()) / static_cast<double>(kUsPerSecond);
}

std::int64_t distance(Units a, Units b) { return std::abs((a - b).value); }

}  // namespace

std::unique_ptr<LedgerChannel> LocalFinance::openLedger() {
  return std::make_unique<LedgerDriver>(db2_, &metrics_);
}

drogon::Task<std::optional<Settlement>> LocalFinance::settlement(TipId tip) {
  co_return co_await db2_.read(
      [tip](db::Connection& connection) { return store::settlement(connection, tip); });
}

drogon::Task<BasisPoints> LocalFinance::rateNow(AnchorId anchor) {
  co_return co_await db2_.read([anchor](db::Connection& connection) {
    return store::rateNow(connection, anchor, connection.now());
  });
}

drogon::Task<std::optional<Rejection>> Service::whyNotAnchor(AnchorId anchor) {
  if (anchors_ == nullptr) co_return std::nullopt;  // cannot be asked: the books alone answer
  if (!anchors_->anchor(anchor)) co_await anchors_->lookAgain(anchor);
  if (!anchors_->anchor(anchor)) co_return Rejection{ErrorCode::anchor_not_found};
  co_return std::nullopt;
}

drogon::Task<Result<Balance>> Service::balance(AnchorId anchor) {
  if (const auto reason = co_await whyNotAnchor(anchor)) co_return *reason;
  const auto [account, asOf] = co_await db2_.read([&](db::Connection& connection) {
    return std::pair(store::account(connection, anchor).value_or(Account{}), connection.now());
  });
  co_return Balance{anchor,           wholeFen(account.settled), account.withdrawn,
                    account.reserved, available(account),        asOf};
}

drogon::Task<Result<NewShareRate>> Service::setRate(AnchorId anchor, SetShareRate request,
                                                    std::string by) {
  if (const auto reason = co_await whyNotAnchor(anchor)) co_return *reason;
  const BasisPoints rate{static_cast<std::int32_t>(request.shareBp.value)};
  co_return co_await db2_.write([&](db::Connection& connection) {
    return store::addRate(connection, anchor, rate, request.effectiveFrom, by);
  });
}

drogon::Task<Result<http::Page<ShownShareRate>>> Service::rates(
    AnchorId anchor, std::optional<store::RatePlace> after, int limit) {
  if (const auto reason = co_await whyNotAnchor(anchor)) co_return *reason;
  auto found = co_await db2_.read([&](db::Connection& connection) {
    return store::rates(connection, anchor, after, limit + 1);
  });
  http::Page<ShownShareRate> page;
  if (static_cast<int>(found.size()) > limit) {
    found.resize(static_cast<std::size_t>(limit));
    const auto& last = found.back().place;
    page.nextPageToken = http::makePageToken({last.effectiveFrom.us, last.id});
  }
  for (const auto& stored : found) page.items.push_back(stored.rate);
  co_return page;
}

drogon::Task<Result<ShownWithdrawal>> Service::withdraw(AnchorId anchor,
                                                        RequestWithdrawal request) {
  if (const auto reason = co_await whyNotAnchor(anchor)) co_return *reason;
  const WithdrawalRequest asked{request.traceId, anchor, Fen{request.amount.value}};
  bool mayBeReserved = false;
  try {
    co_return co_await carryOut(asked, mayBeReserved);
  } catch (const db::Error& error) {
    // "Nothing was written" would be a lie once the reservation may stand.
    if (!mayBeReserved) throw;
    log::warn("finance", "withdrawal interrupted",
              log::field("error", std::string_view(error.what())));
  }
  co_return ErrorCode::outcome_unknown;
}

// `mayBeReserved` is set as soon as the reservation may have been committed.
drogon::Task<Result<ShownWithdrawal>> Service::carryOut(WithdrawalRequest asked,
                                                        bool& mayBeReserved) {
  const WithdrawalFlow flow(asked);
  auto step = flow.start();
  for (;;) {
    if (const auto* answer = std::get_if<WithdrawalFlow::Answer>(&step)) {
      if (!answer->result) co_return answer->result.error();
      co_return shown(*answer->result);
    }
    if (std::holds_alternative<WithdrawalFlow::Reserve>(step)) {
      const Time now = clock_.now();
      bool mustRead = false;
      bool insufficient = false;
      std::optional<Withdrawal> reserved;
      try {
        reserved = co_await db2_.write(
            [&](db::Connection& connection) { return store::reserve(connection, asked, now); });
      } catch (const store::InsufficientBalance&) {
        insufficient = true;
      } catch (const db::DuplicateKey&) {
        mustRead = true;
      } catch (const db::ConnectionLost&) {
        mustRead = true;
        mayBeReserved = true;
      }
      mayBeReserved = mayBeReserved || reserved.has_value();
      if (reserved) metrics_.reserved();
      if (insufficient) metrics_.insufficient();
      step = mustRead       ? flow.onMustRead()
             : insufficient ? flow.onInsufficient()
                            : flow.onReserved(*reserved);
    } else if (std::holds_alternative<WithdrawalFlow::Read>(step)) {
      const auto found = co_await db2_.read([&](db::Connection& connection) {
        return store::withdrawalByTrace(connection, asked.traceId);
      });
      step = flow.onRead(found);
    } else if (const auto* pay = std::get_if<WithdrawalFlow::Pay>(&step)) {
      const auto withdrawal = pay->withdrawal;
      const auto result = co_await provider_.pay(withdrawal.id, withdrawal.amount);
      step = flow.onPayout(withdrawal, result);
    } else if (const auto* end = std::get_if<WithdrawalFlow::Finish>(&step)) {
      const auto settled = co_await finish(end->withdrawal, end->state);
      step = flow.onSettled(settled);
    } else {
      const auto other = std::get<WithdrawalFlow::AwaitOther>(step).withdrawal;
      const auto settled = co_await awaitOther(other);
      step = flow.onSettled(settled);
    }
  }
}

drogon::Task<Withdrawal> Service::finish(Withdrawal withdrawal, WithdrawalState state) {
  const Time now = clock_.now();
  bool changed = false;
  const auto finished = co_await db2_.write([&](db::Connection& connection) {
    return store::finish(connection, withdrawal.id, state, now, &changed);
  });
  if (changed) metrics_.finished(state);
  co_return finished;
}

drogon::Task<store::PendingSum> Service::pending() {
  co_return co_await db2_.read(
      [](db::Connection& connection) { return store::pendingSum(connection); });
}

drogon::Task<Withdrawal> Service::awaitOther(Withdrawal withdrawal) {
  auto* loop = trantor::EventLoop::getEventLoopOfCurrentThread();
  const Time giveUp = clock_.now() + providerTimeout_ + Duration{kUsPerSecond};
  while (loop != nullptr && clock_.now() < giveUp) {
    const auto now = co_await db2_.read([&](db::Connection& connection) {
      return store::withdrawalByTrace(connection, withdrawal.traceId);
    });
    if (now && now->state != WithdrawalState::pending) co_return *now;
    co_await drogon::sleepCoro(loop, kAwaitStepSeconds);
  }
  co_return withdrawal;
}

drogon::Task<Result<http::Page<ShownWithdrawal>>> Service::withdrawals(AnchorId anchor,
                                                                       std::int64_t before,
                                                                       int limit) {
  if (const auto reason = co_await whyNotAnchor(anchor)) co_return *reason;
  auto found = co_await db2_.read([&](db::Connection& connection) {
    return store::withdrawals(connection, anchor, before, limit + 1);
  });
  http::Page<ShownWithdrawal> page;
  if (static_cast<int>(found.size()) > limit) {
    found.resize(static_cast<std::size_t>(limit));
    page.nextPageToken = http::makePageToken({found.back().id.value});
  }
  for (const auto& withdrawal : found) page.items.push_back(shown(withdrawal));
  co_return page;
}

drogon::Task<Result<Withdrawal>> Service::withdrawal(TraceId traceId) {
  const auto found = co_await db2_.read(
      [&](db::Connection& connection) { return store::withdrawalByTrace(connection, traceId); });
  if (!found) co_return ErrorCode::withdrawal_not_found;
  co_return *found;
}

drogon::Task<Result<Statement>> Service::statement(AnchorId anchor, std::optional<Time> from,
                                                   std::optional<Time> to) {
  if (const auto reason = co_await whyNotAnchor(anchor)) co_return *reason;
  const Time end = endOfHour(to.value_or(clock_.now()));
  const Time start = startOfHour(from.value_or(end - kDefaultStatement));
  if (end < start) {
    throw BadRequest("to", ErrorCode::out_of_range, "must not lie before from");
  }
  if (end - start > Duration{kLongestStatementDays * kUsPerDay}) {
    co_return Rejection{ErrorCode::range_too_long,
                        fmt::format("a statement covers at most {} days", kLongestStatementDays)};
  }
  const auto hours = co_await db2_.read(
      [&](db::Connection& connection) { return store::hours(connection, anchor, start, end); });
  Statement statement{anchor, start, end, {}, {}};
  for (const auto& hour : hours) {
    const auto day = businessTime_.dayOf(hour.hour);
    auto item = std::find_if(
        statement.items.begin(), statement.items.end(),
        [&](const StatementItem& i) { return i.day == day && i.shareBp == hour.rate; });
    if (item == statement.items.end()) {
      item = statement.items.insert(item, StatementItem{day, hour.rate, 0, {}, {}});
    }
    item->tips += hour.sum.tips;
    item->amount += hour.sum.amount;
    item->anchorUnits += hour.sum.anchorUnits;
    statement.total.tips += hour.sum.tips;
    statement.total.amount += hour.sum.amount;
    statement.total.anchorUnits += hour.sum.anchorUnits;
  }
  co_return statement;
}

drogon::Task<std::optional<std::int64_t>> Service::analysisDisagreement() {
  if (analysis_ == nullptr) co_return std::nullopt;
  try {
    auto asking = within(kAnalysisPatience, analysis_->disagreement());
    co_return co_await std::move(asking);
  } catch (const db::Error& error) {
    log::warn("finance", "analysis cannot be asked whether its sums agree",
              log::field("error", std::string_view(error.what())));
  }
  co_return std::nullopt;
}

drogon::Task<Result<Reconciliation>> Service::reconcile() {
  if (audience_ == nullptr) co_return ErrorCode::role_unavailable;
  // The books first, the tips after: what is settled in the one is then certainly in the other.
  const auto books = co_await db2_.read([](db::Connection& connection) {
    connection.beginSnapshot();
    try {
      auto result = store::books(connection);
      connection.commit();
      return result;
    } catch (...) {
      connection.rollback();
      throw;
    }
  });
  std::map<LaneId, LaneSeq> cursors;
  for (const auto& [lane, state] : books.lanes) cursors[lane] = state.cursor;
  const auto lanes = co_await audience_->laneSums(std::move(cursors));
  if (!books.advance.empty()) {
    co_await db2_.write([&](db::Connection& connection) {
      store::keepSeals(connection, books.advance);
      return true;
    });
  }

  Reconciliation report;
  report.asOf = clock_.now();
  std::int64_t unequalLanes = 0;
  for (const auto& [lane, state] : books.lanes) {
    report.ledger.count += state.ledger.count;
    report.ledger.amount += state.ledger.amount;
  }
  for (const auto& lane : lanes) {
    report.tips.count += lane.all.tips;
    report.tips.amount += lane.all.amount;
    report.inFlight.count += lane.aboveCursor.tips;
    report.inFlight.amount += lane.aboveCursor.amount;
    const auto found = books.lanes.find(lane.lane);
    const Sum ledger = found == books.lanes.end() ? Sum{} : found->second.ledger;
    if (lane.all.tips - lane.aboveCursor.tips != ledger.count ||
        lane.all.amount - lane.aboveCursor.amount != ledger.amount) {
      ++unequalLanes;
    }
    if (lane.all.tips == 0 && !lane.open) continue;  // a process that saw no tips
    const double lag =
        lane.aboveCursor.tips == 0 ? 0 : std::max(0.0, seconds(report.asOf - lane.oldestAbove));
    report.lanes.push_back({lane.lane, lane.node, lane.open, lane.all.tips, ledger.count, lag});
  }
  report.difference = {report.tips.count - report.ledger.count - report.inFlight.count,
                       report.tips.amount - report.ledger.amount - report.inFlight.amount};
  const auto add = [&](const char* id, std::int64_t figure) {
    report.invariants.push_back({id, figure == 0, figure});
  };
  add("I4", unequalLanes + std::abs(report.difference.count));
  add("I5", books.cursorMismatch);
  add("I6", distance(books.ledgerUnits, books.hourUnits) +
                distance(books.ledgerUnits, books.accountUnits));
  add("I7", books.badSplits);
  add("I9", books.badAccounts);
  add("I10", books.badWithdrawals);
  if (const auto figure = co_await analysisDisagreement()) add("I12", *figure);
  for (const auto& invariant : report.invariants) {
    if (!invariant.holds) {
      log::error("finance", "the books do not match", log::field("invariant", invariant.id),
                 log::field("figure", invariant.figure));
    }
  }
  co_return report;
}

drogon::Task<int> Service::finishPending() {
  // Younger ones are still in the hands of the request that made them.
  const Time before = clock_.now() - providerTimeout_ - Duration{kUsPerSecond};
  const auto waiting = co_await db2_.read([&](db::Connection& connection) {
    return store::pending(connection, before, kPendingAtOnce);
  });
  int finished = 0;
  for (const auto& withdrawal : waiting) {
    const auto result = co_await provider_.pay(withdrawal.id, withdrawal.amount);
    if (result == PayoutResult::unknown) continue;  // asked again in the next round
    const auto state =
        result == PayoutResult::paid ? WithdrawalState::paid : WithdrawalState::rejected;
    co_await finish(withdrawal, state);
    ++finished;
  }
  co_return finished;
}

}  // namespace tipflow::finance
