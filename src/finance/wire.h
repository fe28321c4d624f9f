// How nodes with the role audience and nodes with the role finance talk: the JSON of
// /internal/v1/ledger, and its translation. Pure.
#pragma once

#include <limits>
#include <optional>
#include <string_view>

#include "finance/client.h"
#include "platform/json.h"

namespace tipflow::finance::wire {

using Number = Ranged<0, std::numeric_limits<std::int64_t>::max()>;

struct Tip {
  Number id;
  Number anchor;
  Number viewer;
  Number amount;  ///< fen
  Gender anchorGender = Gender::unknown;
  Gender viewerGender = Gender::unknown;
  Number acceptedAt;  ///< microseconds, as are all times here
};
BOOST_DESCRIBE_STRUCT(Tip, (), (id, anchor, viewer, amount, anchorGender, viewerGender, acceptedAt))

/// A tip whose way is told under a trace, and the `traceparent` of its push.
struct Traced {
  Number id;
  TraceId tip;
  Text<1, 64> push;
};
BOOST_DESCRIBE_STRUCT(Traced, (), (id, tip, push))

/// Tips of one push at most; more than a pusher sends.
inline constexpr std::size_t kMostTips = 2'000;

/// Body of POST /internal/v1/ledger/batches.
struct Batch {
  Number lane;
  Number from;
  Number to;
  json::List<Tip, 1, kMostTips> tips;
  std::optional<Number> committedAt;
  Number pushedAt;
  json::List<Traced, 0, kMostTips> traced;
};
BOOST_DESCRIBE_STRUCT(Batch, (), (lane, from, to, tips, committedAt, pushedAt, traced))

/// Its answer: 200 when the batch is applied, 409 when the cursor stands elsewhere, 425 when it is
/// held back. A batch that was not applied is 503, one of which that is not known 504, both without
/// this.
struct BatchReply {
  BatchStatus status = BatchStatus::failed;
  Number cursor;  ///< where it stands now; 0 when it was not looked at
};
BOOST_DESCRIBE_STRUCT(BatchReply, (), (status, cursor))

/// Answer of GET /internal/v1/ledger/cursors/{lane}.
struct Cursor {
  Number cursor;
};
BOOST_DESCRIBE_STRUCT(Cursor, (), (cursor))

struct Settled {
  Ranged<0, 10'000> rate;  ///< basis points
  Number anchorUnits;
  Number platformUnits;
  Number acceptedAt;
  std::optional<Number> committedAt;
  Number pushedAt;
  Number settledAt;
};
BOOST_DESCRIBE_STRUCT(Settled, (),
                      (rate, anchorUnits, platformUnits, acceptedAt, committedAt, pushedAt,
                       settledAt))

/// Answer of GET /internal/v1/ledger/settlements/{tip}; nothing while it is not settled.
struct SettlementReply {
  std::optional<Settled> settlement;
};
BOOST_DESCRIBE_STRUCT(SettlementReply, (), (settlement))

/// Answer of GET /internal/v1/ledger/rates/{anchor}.
struct Rate {
  Ranged<0, 10'000> shareBp;
};
BOOST_DESCRIBE_STRUCT(Rate, (), (shareBp))

Batch toWire(const LedgerBatch& batch);
/// Throws BadRequest for a trace that is none.
LedgerBatch fromWire(const Batch& batch);
SettlementReply toWire(const std::optional<Settlement>& settlement);
std::optional<Settlement> fromWire(const SettlementReply& reply);

/// The status of the HTTP answer that goes with it.
int httpStatus(BatchStatus status);
/// What a reply under `status` says about `batch`; nullopt when it is none that such a batch has.
std::optional<BatchAnswer> answerOf(int status, std::string_view body, const LedgerBatch& batch);

}  // namespace tipflow::finance::wire

template <>
struct tipflow::EnumWords<tipflow::finance::BatchStatus> {
  using Status = finance::BatchStatus;
  static constexpr std::array values{std::pair{std::string_view{"applied"}, Status::applied},
                                     std::pair{std::string_view{"conflict"}, Status::conflict},
                                     std::pair{std::string_view{"held_back"}, Status::heldBack},
                                     std::pair{std::string_view{"failed"}, Status::failed},
                                     std::pair{std::string_view{"unknown"}, Status::unknown}};
};
