// Identifiers as types of their own, so that an anchor's id never stands where a viewer's belongs.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace tipflow {

template <class Tag>
struct Id {
  std::int64_t value = 0;
  friend auto operator<=>(const Id&, const Id&) = default;
};

using AnchorId = Id<struct AnchorTag>;
using RoomId = Id<struct RoomTag>;
using ViewerId = Id<struct ViewerTag>;
using SessionId = Id<struct SessionTag>;
using OperatorId = Id<struct OperatorTag>;
using WithdrawalId = Id<struct WithdrawalTag>;
using LaneId = Id<struct LaneTag>;
/// Place of a tip in its lane: 1, 2, 3 … without holes.
using LaneSeq = Id<struct LaneSeqTag>;
using TipId = Id<struct TipTag>;

/// Ids stay below 2^53, so that every JSON reader holds them exactly.
inline constexpr std::int64_t kIdEnd = std::int64_t{1} << 53;
inline constexpr int kLaneSeqBits = 33;
inline constexpr std::int64_t kLaneSeqEnd = std::int64_t{1} << kLaneSeqBits;
inline constexpr std::int64_t kLaneEnd = kIdEnd >> kLaneSeqBits;

constexpr TipId tipIdOf(LaneId lane, LaneSeq seq) {
  return TipId{(lane.value << kLaneSeqBits) | seq.value};
}
constexpr LaneId laneOf(TipId tip) { return LaneId{tip.value >> kLaneSeqBits}; }
constexpr LaneSeq seqOf(TipId tip) { return LaneSeq{tip.value & (kLaneSeqEnd - 1)}; }

}  // namespace tipflow

template <class Tag>
struct std::hash<tipflow::Id<Tag>> {
  std::size_t operator()(tipflow::Id<Tag> id) const noexcept {
    return std::hash<std::int64_t>{}(id.value);
  }
};
