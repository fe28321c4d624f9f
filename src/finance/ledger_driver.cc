#include "finance/ledger_driver.h"

#include "finance/ledger_receiver.h"
#include "finance/store.h"
#include "platform/log.h"

namespace tipflow::finance {
namespace {

/// Carries out one step on the connection and reports back; never called with Done.
class StepRunner {
 public:
  StepRunner(const LedgerReceiver& receiver, const LedgerBatch& batch, db::Connection& connection)
      : receiver_(receiver), batch_(batch), connection_(connection) {}

  LedgerReceiver::Step operator()(const LedgerReceiver::MoveCursor& step) const {
    connection_.begin();
    return receiver_.onCursorMoved(store::moveCursor(connection_, step));
  }
  LedgerReceiver::Step operator()(const LedgerReceiver::ReadCursor& step) const {
    connection_.rollback();
    return receiver_.onCursorRead(store::cursor(connection_, step.lane));
  }
  LedgerReceiver::Step operator()(const LedgerReceiver::ReadTerms& step) const {
    return receiver_.onTerms(store::readTerms(connection_, step.anchors));
  }
  LedgerReceiver::Step operator()(const LedgerReceiver::Book& step) const {
    store::book(connection_, batch_, step);
    connection_.commit();
    return receiver_.onCommitted();
  }
  LedgerReceiver::Step operator()(const LedgerReceiver::Done& step) const { return step; }

 private:
  const LedgerReceiver& receiver_;
  const LedgerBatch& batch_;
  db::Connection& connection_;
};

// Under the trace of each tip's own request, as far as it is kept.
void tell(const LedgerBatch& batch, BatchStatus status, Time started) {
  if (status != BatchStatus::applied) return;
  const Time now = SystemClock{}.now();
  log::line(log::Level::info, "finance", {}, "tips settled", log::field("lane", batch.lane.value),
            log::field("from", batch.from.value), log::field("to", batch.to.value),
            log::field("ms", static_cast<double>((now - started).count()) / kUsPerMs));
  for (const auto& tip : batch.traced) {
    const auto own = tip.push.child((std::hash<TraceId>{}(tip.tip) ^ tip.push.span) | 1U);
    log::span({"tip settle", "finance", own, tip.push.span, started, now},
              log::field("tip", tip.tip.hex()), log::field("tipId", tip.id.value));
    log::line(log::Level::info, "finance", log::to(own), "tip settled",
              log::field("tip", tip.tip.hex()), log::field("tipId", tip.id.value));
  }
}

}  // namespace

db::Connection& LedgerDriver::connection() {
  if (!connection_) connection_ = db2_.connect();
  return *connection_;
}

LaneSeq LedgerDriver::cursor(LaneId lane) {
  try {
    return store::cursor(connection(), lane);
  } catch (const db::ConnectionLost&) {
  } catch (const db::Unavailable&) {
  }
  connection_.reset();
  return store::cursor(connection(), lane);
}

BatchAnswer LedgerDriver::apply(const LedgerBatch& batch) {
  const LedgerReceiver receiver(batch);
  const Time started = SystemClock{}.now();
  LedgerReceiver::Step step = LedgerReceiver::Done{};
  try {
    step = receiver.start();
    const StepRunner run(receiver, batch, connection());
    while (!std::holds_alternative<LedgerReceiver::Done>(step)) step = std::visit(run, step);
    connection_->rollback();  // nothing is open after a commit; else this undoes it
  } catch (const db::ConnectionLost& lost) {
    connection_.reset();
    step = receiver.onUnknown(lost.what());
  } catch (const db::Unavailable& away) {
    connection_.reset();
    step = receiver.onRolledBack(away.what());
  } catch (const db::Error& error) {
    if (connection_) connection_->rollback();
    step = receiver.onRolledBack(error.what());
  } catch (const BrokenInvariant& broken) {
    if (connection_) connection_->rollback();
    log::error("finance", "a batch was not booked", log::field("lane", batch.lane.value),
               log::field("from", batch.from.value), log::field("to", batch.to.value),
               log::field("error", std::string_view(broken.what())));
    step = receiver.onRolledBack(broken.what());
  }
  const auto& done = std::get<LedgerReceiver::Done>(step);
  tell(batch, done.answer.status, started);
  if (metrics_ != nullptr) {
    metrics_->count(batch, done.answer.status, SystemClock{}.now() - started);
  }
  if (done.answer.status == BatchStatus::failed || done.answer.status == BatchStatus::unknown) {
    log::warn("finance", "a batch was not booked", log::field("lane", batch.lane.value),
              log::field("from", batch.from.value), log::field("to", batch.to.value),
              log::field("error", done.reason));
  }
  return done.answer;
}

}  // namespace tipflow::finance
