// The audience role's world as its API shows it: viewers and tips.
#pragma once

#include <boost/describe.hpp>

#include <optional>
#include <string>
#include <vector>

#include "analysis/client.h"
#include "audience/tip.h"
#include "audience/viewer_card.h"
#include "platform/json.h"
#include "platform/tags.h"

namespace tipflow::audience {

using analysis::Tier;

using Name = Text<1, 64>;
using Password = Secret<8, 128>;
using ViewerAge = Ranged<0, 150>;
using Region = Text<1, 64>;
using TipAmount = Ranged<1, 100'000'000>;
using GiftId = Ranged<0, 1'000'000>;
using GiftCount = Ranged<1, 9'999>;
using Message = Text<0, 200>;
using IdField = Ranged<1, kIdEnd - 1>;

inline constexpr std::size_t kBatchTips = 1'000;

// Requests ------------------------------------------------------------------------------------

struct RegisterViewer {
  Name name;
  Password password;
  Gender gender = Gender::unknown;
  ViewerAge age;
  std::optional<Region> region;
  std::optional<TagList> tags;
};
BOOST_DESCRIBE_STRUCT(RegisterViewer, (), (name, password, gender, age, region, tags))

struct ChangeViewer {
  std::optional<Name> name;
  std::optional<Password> password;
  std::optional<Gender> gender;
  std::optional<ViewerAge> age;
  std::optional<Region> region;
  std::optional<TagList> tags;
};
BOOST_DESCRIBE_STRUCT(ChangeViewer, (), (name, password, gender, age, region, tags))

struct TagsRequest {
  TagList tags;
};
BOOST_DESCRIBE_STRUCT(TagsRequest, (), (tags))

struct TipRequest {
  TraceId traceId;
  IdField roomId;
  TipAmount amount;
  std::optional<GiftId> giftId;
  std::optional<GiftCount> count;
  std::optional<Message> message;
};
BOOST_DESCRIBE_STRUCT(TipRequest, (), (traceId, roomId, amount, giftId, count, message))

struct BatchTipRequest {
  TraceId traceId;
  IdField viewerId;
  IdField roomId;
  TipAmount amount;
  std::optional<GiftId> giftId;
  std::optional<GiftCount> count;
  std::optional<Message> message;
};
BOOST_DESCRIBE_STRUCT(BatchTipRequest, (),
                      (traceId, viewerId, roomId, amount, giftId, count, message))

struct TipBatchRequest {
  json::List<BatchTipRequest, 1, kBatchTips> tips;
};
BOOST_DESCRIBE_STRUCT(TipBatchRequest, (), (tips))

// Answers -------------------------------------------------------------------------------------

struct Viewer {
  ViewerId id;
  ViewerKind kind = ViewerKind::registered;
  std::string name;
  Gender gender = Gender::unknown;
  std::optional<std::int64_t> age;
  std::optional<std::string> region;
  std::vector<std::string> tags;
  std::optional<Tier> tier;  ///< null while analysis cannot say
  ViewerState state = ViewerState::active;
  Time createdAt;
};
BOOST_DESCRIBE_STRUCT(Viewer, (),
                      (id, kind, name, gender, age, region, tags, tier, state, createdAt))

struct NewGuest {
  Viewer viewer;
  std::string token;
  Time expiresAt;
  std::string signingKey;
};
BOOST_DESCRIBE_STRUCT(NewGuest, (), (viewer, token, expiresAt, signingKey))

struct ShownTip {
  TipId tipId;
  TraceId traceId;
  RoomId roomId;
  AnchorId anchorId;
  std::string anchorName;
  ViewerId viewerId;
  std::string viewerName;
  Fen amount;
  std::int32_t giftId = 0;
  std::int32_t count = 1;
  std::optional<std::string> message;
  Time acceptedAt;
};
BOOST_DESCRIBE_STRUCT(ShownTip, (),
                      (tipId, traceId, roomId, anchorId, anchorName, viewerId, viewerName, amount,
                       giftId, count, message, acceptedAt))

struct BatchResult {
  TraceId traceId;
  std::string status;  ///< created, exists, rejected
  std::optional<TipId> tipId;
  std::optional<std::string> code;
};
BOOST_DESCRIBE_STRUCT(BatchResult, (), (traceId, status, tipId, code))

struct BatchResults {
  std::vector<BatchResult> results;
};
BOOST_DESCRIBE_STRUCT(BatchResults, (), (results))

struct JourneyStep {
  std::string step;
  bool done = false;
  std::optional<Time> at;
};
BOOST_DESCRIBE_STRUCT(JourneyStep, (), (step, done, at))

struct JourneySettlement {
  BasisPoints shareBp;
  Units anchorUnits;
  Units platformUnits;
};
BOOST_DESCRIBE_STRUCT(JourneySettlement, (), (shareBp, anchorUnits, platformUnits))

struct Journey {
  TraceId traceId;
  TipId tipId;
  std::vector<JourneyStep> steps;
  std::optional<JourneySettlement> settlement;
  std::optional<Time> hour;
};
BOOST_DESCRIBE_STRUCT(Journey, (), (traceId, tipId, steps, settlement, hour))

/// How a guest without a name is shown.
inline std::string guestName(ViewerId id) { return "游客-" + std::to_string(id.value); }

}  // namespace tipflow::audience
