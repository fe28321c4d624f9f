#include "audience/wire.h"

namespace tipflow::audience::wire {

Sum toWire(const TipSum& sum) { return {{sum.tips}, {sum.amount.value}}; }
TipSum fromWire(const Sum& sum) { return {sum.tips.value, Fen{sum.amount.value}}; }

LaneSumsReply toWire(const std::vector<audience::LaneSum>& sums) {
  LaneSumsReply reply;
  for (const auto& sum : sums) {
    reply.lanes.items.push_back({{sum.lane.value},
                                 {sum.node},
                                 sum.open,
                                 toWire(sum.all),
                                 toWire(sum.aboveCursor),
                                 {sum.newest.us},
                                 {sum.oldestAbove.us}});
  }
  return reply;
}

std::vector<audience::LaneSum> fromWire(const LaneSumsReply& reply) {
  std::vector<audience::LaneSum> sums;
  for (const auto& sum : reply.lanes.items) {
    sums.push_back({LaneId{sum.lane.value}, sum.node.value, sum.open, fromWire(sum.all),
                    fromWire(sum.aboveCursor), Time{sum.newest.value},
                    Time{sum.oldestAbove.value}});
  }
  return sums;
}

Board toWire(const SessionBoard& board) {
  Board wire{toWire(board.sum), {}, {board.asOf.us}};
  if (!board.top) return wire;
  auto& top = wire.top.emplace();
  for (const auto& place : *board.top) {
    top.items.push_back({{place.rank}, {place.viewerId.value}, {place.name}, {place.amount.value}});
  }
  return wire;
}

SessionBoard fromWire(const Board& wire) {
  SessionBoard board{fromWire(wire.sum), {}, Time{wire.asOf.value}};
  if (!wire.top) return board;
  auto& top = board.top.emplace();
  for (const auto& place : wire.top->items) {
    top.push_back({place.rank.value, ViewerId{place.viewerId.value}, place.name.value,
                   Fen{place.amount.value}});
  }
  return board;
}

TagUseReply toWire(const std::vector<audience::TagUse>& tags) {
  TagUseReply reply;
  for (const auto& use : tags) reply.tags.items.push_back({{use.tag}, {use.count}});
  return reply;
}

std::vector<audience::TagUse> fromWire(const TagUseReply& reply) {
  std::vector<audience::TagUse> tags;
  for (const auto& use : reply.tags.items) tags.push_back({use.tag.value, use.count.value});
  return tags;
}

FactsReply toWire(const std::vector<ViewerFacts>& viewers) {
  FactsReply reply;
  for (const auto& viewer : viewers) {
    Facts facts{{viewer.id.value}, {viewer.name}, {}, viewer.disabled};
    for (const auto& tag : viewer.tags) facts.tags.items.push_back({tag});
    reply.viewers.items.push_back(std::move(facts));
  }
  return reply;
}

std::vector<ViewerFacts> fromWire(const FactsReply& reply) {
  std::vector<ViewerFacts> viewers;
  for (const auto& facts : reply.viewers.items) {
    ViewerFacts viewer{
        ViewerId{facts.id.value}, facts.name.value, {}, facts.disabled.value_or(false)};
    for (const auto& tag : facts.tags.items) viewer.tags.push_back(tag.value);
    viewers.push_back(std::move(viewer));
  }
  return viewers;
}

}  // namespace tipflow::audience::wire
