#include "finance/wire.h"

namespace tipflow::finance::wire {
namespace {

constexpr int kOk = 200;
constexpr int kConflict = 409;
constexpr int kTooEarly = 425;
constexpr int kUnavailable = 503;
constexpr int kGatewayTimeout = 504;

std::optional<Number> usOf(const std::optional<Time>& time) {
  return time ? std::optional(Number{time->us}) : std::nullopt;
}
std::optional<Time> timeOf(const std::optional<Number>& us) {
  return us ? std::optional(Time{us->value}) : std::nullopt;
}

TraceContext contextOf(const Traced& traced) {
  const auto context = TraceContext::parse(traced.push.value);
  if (!context) {
    throw BadRequest("traced", ErrorCode::invalid_format, "holds a traceparent that is none");
  }
  return *context;
}

}  // namespace

Batch toWire(const LedgerBatch& batch) {
  Batch wire{{batch.lane.value},
             {batch.from.value},
             {batch.to.value},
             {},
             usOf(batch.committedAt),
             {batch.pushedAt.us},
             {}};
  wire.tips.items.reserve(batch.tips.size());
  for (const auto& tip : batch.tips) {
    wire.tips.items.push_back({{tip.id.value},
                               {tip.anchor.value},
                               {tip.viewer.value},
                               {tip.amount.value},
                               tip.anchorGender,
                               tip.viewerGender,
                               {tip.acceptedAt.us}});
  }
  for (const auto& traced : batch.traced) {
    wire.traced.items.push_back({{traced.id.value}, traced.tip, {traced.push.header()}});
  }
  return wire;
}

LedgerBatch fromWire(const Batch& wire) {
  LedgerBatch batch{LaneId{wire.lane.value},
                    LaneSeq{wire.from.value},
                    LaneSeq{wire.to.value},
                    {},
                    timeOf(wire.committedAt),
                    Time{wire.pushedAt.value},
                    {}};
  batch.tips.reserve(wire.tips.items.size());
  for (const auto& tip : wire.tips.items) {
    batch.tips.push_back({TipId{tip.id.value}, AnchorId{tip.anchor.value},
                          ViewerId{tip.viewer.value}, Fen{tip.amount.value}, tip.anchorGender,
                          tip.viewerGender, Time{tip.acceptedAt.value}});
  }
  for (const auto& traced : wire.traced.items) {
    batch.traced.push_back({TipId{traced.id.value}, traced.tip, contextOf(traced)});
  }
  return batch;
}

SettlementReply toWire(const std::optional<Settlement>& settlement) {
  if (!settlement) return {};
  return {Settled{{settlement->rate.value},
                  {settlement->anchorUnits.value},
                  {settlement->platformUnits.value},
                  {settlement->acceptedAt.us},
                  usOf(settlement->committedAt),
                  {settlement->pushedAt.us},
                  {settlement->settledAt.us}}};
}

std::optional<Settlement> fromWire(const SettlementReply& reply) {
  if (!reply.settlement) return std::nullopt;
  const auto& settled = *reply.settlement;
  return Settlement{BasisPoints{static_cast<std::int32_t>(settled.rate.value)},
                    Units{settled.anchorUnits.value},
                    Units{settled.platformUnits.value},
                    Time{settled.acceptedAt.value},
                    timeOf(settled.committedAt),
                    Time{settled.pushedAt.value},
                    Time{settled.settledAt.value}};
}

int httpStatus(BatchStatus status) {
  switch (status) {
    case BatchStatus::applied:
      return kOk;
    case BatchStatus::conflict:
      return kConflict;
    case BatchStatus::heldBack:
      return kTooEarly;
    case BatchStatus::failed:
      return kUnavailable;
    case BatchStatus::unknown:
      return kGatewayTimeout;
  }
  return kGatewayTimeout;
}

std::optional<BatchAnswer> answerOf(int status, std::string_view body, const LedgerBatch& batch) {
  if (status != kOk && status != kConflict && status != kTooEarly) return std::nullopt;
  try {
    const auto reply = json::readBody<BatchReply>(body);
    if (httpStatus(reply.status) != status) return std::nullopt;
    const bool done = reply.status == BatchStatus::applied;
    if (done && reply.cursor.value != batch.to.value) return std::nullopt;
    return BatchAnswer{reply.status, LaneSeq{reply.cursor.value}};
  } catch (const BadRequest&) {
    return std::nullopt;
  }
}

}  // namespace tipflow::finance::wire
