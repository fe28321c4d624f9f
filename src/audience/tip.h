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

/// Whether two requests with one traceId mean the same tip (money.md section 1).
inline bool sameContent(const Tip& a, const Tip& b) {
  return a.viewer == b.viewer && a.room == b.room && a.amount == b.amount && a.giftId == b.giftId &&
         a.count == b.count;
}

}  // namespace tipflow::audience
