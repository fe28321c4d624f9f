#include "finance/remote.h"

#include <fmt/format.h>

#include "finance/wire.h"
#include "platform/rpc/ask.h"

namespace tipflow::finance {
namespace {

// Longer than a database of a busy node takes for its largest batch.
constexpr Duration kPushDeadline{3 * kUsPerSecond};
// What is shown beside other things must not hold them up.
constexpr Duration kShownDeadline{500 * kUsPerMs};

rpc::Request get(std::string path) {
  rpc::Request request;
  request.path = std::move(path);
  return request;
}

class RemoteLedger final : public LedgerChannel {
 public:
  explicit RemoteLedger(rpc::Caller& caller) : caller_(caller) {}

  LaneSeq cursor(LaneId lane) override {
    const auto reply = rpc::askBlocking<wire::Cursor>(
        caller_, get(fmt::format("/internal/v1/ledger/cursors/{}", lane.value)));
    return LaneSeq{reply.cursor.value};
  }

  BatchAnswer apply(const LedgerBatch& batch) override {
    std::optional<BatchAnswer> answer;
    rpc::Request request{drogon::Post, "/internal/v1/ledger/batches",
                         json::toText(wire::toWire(batch)), false, kPushDeadline};
    request.fits = [&](const rpc::Answer& given) {
      answer = wire::answerOf(given.status, given.body, batch);
      return answer.has_value();
    };
    try {
      (void)caller_.callBlocking(std::move(request));
    } catch (const rpc::Away&) {
      return {BatchStatus::failed, {}};
    } catch (const rpc::Unknown&) {
      return {BatchStatus::unknown, {}};
    }
    return *answer;
  }

 private:
  rpc::Caller& caller_;
};

}  // namespace

std::unique_ptr<LedgerChannel> RemoteFinance::openLedger() {
  return std::make_unique<RemoteLedger>(caller_);
}

drogon::Task<std::optional<Settlement>> RemoteFinance::settlement(TipId tip) {
  auto request = get(fmt::format("/internal/v1/ledger/settlements/{}", tip.value));
  const auto reply = co_await rpc::ask<wire::SettlementReply>(caller_, std::move(request));
  co_return wire::fromWire(reply);
}

drogon::Task<BasisPoints> RemoteFinance::rateNow(AnchorId anchor) {
  auto request = get(fmt::format("/internal/v1/ledger/rates/{}", anchor.value));
  request.deadline = kShownDeadline;
  const auto rate = co_await rpc::ask<wire::Rate>(caller_, std::move(request));
  co_return BasisPoints{static_cast<std::int32_t>(rate.shareBp.value)};
}

}  // namespace tipflow::finance
