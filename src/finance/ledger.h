// What crosses from audience to finance, and what finance makes of it. Pure types.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/enums.h"
#include "base/ids.h"
#include "base/money.h"
#include "base/time.h"
#include "base/trace_context.h"

namespace tipflow::finance {

/// A committed tip, as far as the books need it.
struct LedgerTip {
  TipId id;
  AnchorId anchor;
  ViewerId viewer;
  Fen amount;
  Gender anchorGender = Gender::unknown;
  Gender viewerGender = Gender::unknown;
  Time acceptedAt;
};

/// A tip of a batch whose way is told under the trace of its request.
struct TracedTip {
  TipId id;
  TraceId tip;
  TraceContext push;
};

/// Tips `from`..`to` of one lane, complete and in number order.
struct LedgerBatch {
  LaneId lane;
  LaneSeq from;
  LaneSeq to;
  std::vector<LedgerTip> tips;
  std::optional<Time> committedAt = {};  ///< when the last of them was committed, if it was noted
  Time pushedAt = {};
  std::vector<TracedTip> traced = {};
};

enum class BatchStatus {
  applied,   ///< settled now
  conflict,  ///< the cursor stands elsewhere; `cursor` says where
  heldBack,  ///< a tip is ahead of DB2's clock; nothing changed, try again soon
  failed,    ///< nothing changed
  unknown,   ///< ask for the cursor
};

struct BatchAnswer {
  BatchStatus status = BatchStatus::failed;
  LaneSeq cursor = {};  ///< where it stands now, for applied and conflict
};

/// The anchor's part of tips from `effectiveFrom` on, until a newer one.
struct ShareRate {
  Time effectiveFrom;
  BasisPoints rate;
};

}  // namespace tipflow::finance
