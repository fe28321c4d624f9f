// A tip as the audience role knows it: what was given, and its place in a lane. Pure types.
#pragma once

#include <cstdint>
#include <string>

#include "base/enums.h"
#include "base/ids.h"
#include "base/money.h"
#include "base/time.h"
#include "base/trace_id.h"

namespace tipflow::audience {

/// What a viewer gave, to whom, and where; fixed before it is queued.
struct Tip {
  TraceId traceId;
  ViewerId viewer;
  RoomId room;
  AnchorId anchor;
  SessionId session;
  Fen amount;
  std::int32_t giftId = 0;
  std::int32_t count = 1;
  Gender anchorGender = Gender::unknown;
  Gender viewerGender = Gender::unknown;
  std::string message;
};

/// A tip with its number and its time: what stands, or is to stand, in DB1.
struct NumberedTip {
  TipId id;
  Time acceptedAt;
  Tip tip;
};

/// What makes a tip the tip it is, beside its traceId: two requests with one traceId mean the same
/// tip when these agree (money.md section 1).
struct TipContent {
  ViewerId viewer;
  RoomId room;
  Fen amount;
  std::int32_t giftId = 0;
  std::int32_t count = 1;
  friend bool operator==(const TipContent&, const TipContent&) = default;
};
inline TipContent contentOf(const Tip& tip) {
  return {tip.viewer, tip.room, tip.amount, tip.giftId, tip.count};
}
inline bool sameContent(const Tip& a, const Tip& b) { return contentOf(a) == contentOf(b); }

}  // namespace tipflow::audience
