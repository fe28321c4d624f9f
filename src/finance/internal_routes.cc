#include "finance/internal_routes.h"

#include "platform/rpc/deadline.h"

namespace tipflow::finance {

using http::Access;
using http::Call;
using http::Method;
using http::ResponsePtr;
using http::Task;

void InternalRoutes::addTo(http::Router& router) {
  const auto add = [&](Method method, const char* path, auto handler) {
    router.add({method, path, Access::nodes(),
                [this, handler](Call& call) { return (this->*handler)(call); }, http::Signing::none,
                http::kBatchBodyLimit, "finance"});
  };
  add(Method::post, "/internal/v1/ledger/batches", &InternalRoutes::takeBatch);
  add(Method::get, "/internal/v1/ledger/cursors/{lane}", &InternalRoutes::cursor);
  add(Method::get, "/internal/v1/ledger/settlements/{tip}", &InternalRoutes::settlement);
  add(Method::get, "/internal/v1/ledger/rates/{anchor}", &InternalRoutes::rate);
}

template <class Work>
auto InternalRoutes::withChannel(Work work) -> Task<std::invoke_result_t<Work, LedgerChannel&>> {
  auto job = [this, &work] {
    auto channel = takeChannel();
    const auto result = work(*channel);  // a channel that threw is not used again
    giveBack(std::move(channel));
    return result;
  };
  try {
    co_return co_await workers_.run(std::move(job));
  } catch (const Workers::Full&) {
    throw http::Refused(ErrorCode::overloaded);
  }
}

// A batch that nobody waits for any more is left alone: it will be pushed again, from the cursor.
Task<ResponsePtr> InternalRoutes::takeBatch(Call& call) {
  const Time deadline = rpc::deadlineOf(call);
  const auto batch = wire::fromWire(call.body<wire::Batch>());
  auto work = [&batch, deadline](LedgerChannel& ledger) {
    if (SystemClock{}.now() >= deadline) return BatchAnswer{BatchStatus::failed, {}};
    return ledger.apply(batch);
  };
  const auto answer = co_await withChannel(std::move(work));
  if (answer.status == BatchStatus::failed) throw http::Refused(ErrorCode::unavailable);
  if (answer.status == BatchStatus::unknown) throw http::Refused(ErrorCode::outcome_unknown);
  co_return http::jsonResponse(
      wire::httpStatus(answer.status),
      json::toText(wire::BatchReply{answer.status, {answer.cursor.value}}));
}

Task<ResponsePtr> InternalRoutes::cursor(Call& call) {
  const auto lane = call.pathId<LaneId>(0, ErrorCode::route_not_found);
  auto work = [lane](LedgerChannel& ledger) { return ledger.cursor(lane); };
  const auto cursor = co_await withChannel(std::move(work));
  co_return http::ok(wire::Cursor{{cursor.value}});
}

Task<ResponsePtr> InternalRoutes::settlement(Call& call) {
  const auto tip = call.pathId<TipId>(0, ErrorCode::tip_not_found);
  const auto settlement = co_await ledger_.settlement(tip);
  co_return http::ok(wire::toWire(settlement));
}

Task<ResponsePtr> InternalRoutes::rate(Call& call) {
  const auto anchor = call.pathId<AnchorId>(0, ErrorCode::anchor_not_found);
  const auto rate = co_await ledger_.rateNow(anchor);
  co_return http::ok(wire::Rate{{rate.value}});
}

std::unique_ptr<LedgerChannel> InternalRoutes::takeChannel() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto channel = std::move(idle_.back());
      idle_.pop_back();
      return channel;
    }
  }
  return ledger_.openLedger();
}

void InternalRoutes::giveBack(std::unique_ptr<LedgerChannel> channel) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(channel));
}

}  // namespace tipflow::finance
