// How nodes with the role audience answer others: the JSON of /internal/v1/audience, and its
// translation. Pure.
#pragma once

#include "audience/client.h"
#include "audience/sums_wire.h"

namespace tipflow::audience::wire {

using Words = Secret<0, 4'096>;

struct Sum {
  Number tips;
  Number amount;  ///< fen
};
BOOST_DESCRIBE_STRUCT(Sum, (), (tips, amount))

struct LaneCursor {
  IdNumber lane;
  Number seq;
};
BOOST_DESCRIBE_STRUCT(LaneCursor, (), (lane, seq))

/// Body of POST /internal/v1/audience/lane-sums.
struct LaneSumsRequest {
  json::List<LaneCursor, 0, kMany> cursors;
};
BOOST_DESCRIBE_STRUCT(LaneSumsRequest, (), (cursors))

struct LaneSum {
  IdNumber lane;
  Words node;
  bool open = false;
  Sum all;
  Sum aboveCursor;
  Number newest;  ///< microseconds, as are all times here
  Number oldestAbove;
};
BOOST_DESCRIBE_STRUCT(LaneSum, (), (lane, node, open, all, aboveCursor, newest, oldestAbove))
struct LaneSumsReply {
  json::List<LaneSum, 0, kMany> lanes;
};
BOOST_DESCRIBE_STRUCT(LaneSumsReply, (), (lanes))

struct Place {
  IdNumber rank;
  Number viewerId;  ///< 0 where the policy hides it
  Words name;
  Number amount;
};
BOOST_DESCRIBE_STRUCT(Place, (), (rank, viewerId, name, amount))
/// Answer of GET /internal/v1/audience/session-tops/{session}.
struct Board {
  Sum sum;
  std::optional<json::List<Place, 0, 1'000>> top;
  Number asOf;
};
BOOST_DESCRIBE_STRUCT(Board, (), (sum, top, asOf))

struct TagUse {
  Words tag;
  Number count;
};
BOOST_DESCRIBE_STRUCT(TagUse, (), (tag, count))
/// Body of POST /internal/v1/audience/tag-use, and its answer.
struct TagUseRequest {
  std::optional<Words> part;
  Words after;
  Ranged<1, 100'000> limit;
};
BOOST_DESCRIBE_STRUCT(TagUseRequest, (), (part, after, limit))
struct TagUseReply {
  json::List<TagUse, 0, 100'000> tags;
};
BOOST_DESCRIBE_STRUCT(TagUseReply, (), (tags))

/// Body of POST /internal/v1/audience/viewer-facts, and its answer.
struct ViewersRequest {
  json::List<IdNumber, 0, kFactsMost> viewers;
};
BOOST_DESCRIBE_STRUCT(ViewersRequest, (), (viewers))
struct Facts {
  IdNumber id;
  Words name;
  json::List<Words, 0, 1'000> tags;
  std::optional<bool> disabled;  // a node of an earlier release does not tell
};
BOOST_DESCRIBE_STRUCT(Facts, (), (id, name, tags, disabled))
struct FactsReply {
  json::List<Facts, 0, kFactsMost> viewers;
};
BOOST_DESCRIBE_STRUCT(FactsReply, (), (viewers))

Sum toWire(const TipSum& sum);
TipSum fromWire(const Sum& sum);
LaneSumsReply toWire(const std::vector<audience::LaneSum>& sums);
std::vector<audience::LaneSum> fromWire(const LaneSumsReply& reply);
Board toWire(const SessionBoard& board);
SessionBoard fromWire(const Board& board);
TagUseReply toWire(const std::vector<audience::TagUse>& tags);
std::vector<audience::TagUse> fromWire(const TagUseReply& reply);
FactsReply toWire(const std::vector<ViewerFacts>& viewers);
std::vector<ViewerFacts> fromWire(const FactsReply& reply);

}  // namespace tipflow::audience::wire
