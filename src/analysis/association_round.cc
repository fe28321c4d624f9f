#include "analysis/association_round.h"

#include <algorithm>

#include "platform/log.h"

namespace tipflow::analysis {
namespace {

// The first round takes up the whole ledger.
constexpr Duration kRoundMost{kUsPerHour};
// What was accepted so long ago is in the ledger, unless settlement lags.
constexpr Duration kSettledWithin{2 * kUsPerSecond};

}  // namespace

std::optional<std::vector<std::string>> roomTagsOf(const anchor::AnchorClient& anchors,
                                                   AnchorId anchor) {
  const auto card = anchors.anchor(anchor);
  if (!card) return std::nullopt;
  auto tags = anchors.roomTags(card->room);
  if (tags.size() > kTagsMost) tags.resize(kTagsMost);
  return tags;
}

void AssociationRound::run(schedule::Run& run) {
  const Time asOf = run.connection().now() - kSettledWithin;
  makeGeneration(run);
  takeUpTips(run);
  if (anchors_ == nullptr) {
    log::warn("analysis", "tags are not counted: no node with the role anchor is known");
    return;
  }
  noteRooms(run);
  countMarked(run);
  for (const auto& generation : tagstore::generations(run.connection())) {
    if (!generation.published && !run.shouldStop()) countAll(run, generation, asOf);
  }
  dropOthers(run);
  if (run.shouldStop()) return;
  run.write([&](db::Connection& c) {
    if (const auto published = tagstore::publishedGeneration(c)) {
      tagstore::setAsOf(c, published->number, asOf);
    }
  });
}

// The first generation is published at once: it is complete for the nothing that is known.
void AssociationRound::makeGeneration(schedule::Run& run) {
  run.write([&](db::Connection& c) {
    const auto all = tagstore::generations(c);
    const auto today = dayOf(c.now());
    tagstore::Generation made{.number = all.empty() ? 1 : all.back().number + 1,
                              .rules = limits_.rules,
                              .baseDay = today,
                              .published = all.empty(),
                              .countedTo = {},
                              .asOf = {}};
    const bool fresh = !all.empty() && all.back().rules == limits_.rules &&
                       today - all.back().baseDay <= limits_.baseDaysMost;
    if (!fresh) tagstore::addGeneration(c, made);
  });
}

void AssociationRound::takeUpTips(schedule::Run& run) {
  for (auto lane : tagstore::lanesBehind(run.connection())) {
    while (lane.after < lane.to && !run.shouldStop()) {
      auto stretch = lane;
      stretch.to.value = std::min(lane.to.value, lane.after.value + limits_.tipsAtOnce);
      // Settled rows never change: they are read before the transaction, which stays short.
      const auto activity = tagstore::ledgerActivity(run.connection(), stretch);
      run.write([&](db::Connection& c) {
        tagstore::addActivity(c, activity);
        tagstore::setProgress(c, stretch.lane, stretch.to);
      });
      run.add(stretch.to.value - stretch.after.value);
      lane.after = stretch.to;
    }
  }
}

void AssociationRound::noteRooms(schedule::Run& run) {
  rooms_ = tagstore::roomTags(run.connection());
  newRooms_.clear();
  for (auto& [anchor, counted] : rooms_) {
    if (run.shouldStop()) return;
    auto tags = roomTagsOf(*anchors_, anchor);
    if (!tags || *tags == counted) continue;  // one that is not known now keeps what it had
    run.write([&, id = anchor](db::Connection& c) {
      tagstore::markViewersOf(c, id);
      tagstore::setRoomTags(c, id, *tags);
    });
    counted = *std::move(tags);
  }
}

void AssociationRound::countMarked(schedule::Run& run) {
  while (!run.shouldStop()) {
    const auto marked = tagstore::dirtyViewers(run.connection(), limits_.viewersAtOnce);
    if (marked.empty()) return;
    const auto carried = carriedBy(run, marked);
    run.write([&](db::Connection& c) {
      const auto held = tagstore::holdDirty(c, marked);
      for (const auto& generation : tagstore::generations(c)) count(c, generation, held, carried);
      keepNewRooms(c);
      tagstore::clearDirty(c, held);
    });
    newRooms_.clear();
    run.add(static_cast<std::int64_t>(marked.size()));
  }
}

// Whoever was ever counted stands in the published generation; whoever comes anew meanwhile is
// marked, and is counted for both.
void AssociationRound::countAll(schedule::Run& run, tagstore::Generation generation, Time asOf) {
  const auto published = tagstore::publishedGeneration(run.connection());
  while (published && !run.shouldStop()) {
    const auto viewers = tagstore::countedAfter(run.connection(), published->number,
                                                generation.countedTo, limits_.viewersAtOnce);
    if (viewers.empty()) break;
    const auto carried = carriedBy(run, viewers);
    run.write([&](db::Connection& c) {
      count(c, generation, viewers, carried);
      keepNewRooms(c);
      tagstore::setCountedTo(c, generation.number, viewers.back());
    });
    newRooms_.clear();
    generation.countedTo = viewers.back();
    run.add(static_cast<std::int64_t>(viewers.size()));
  }
  if (run.shouldStop()) return;
  run.write([&](db::Connection& c) { tagstore::publish(c, generation.number, asOf); });
}

void AssociationRound::dropOthers(schedule::Run& run) {
  for (const auto& generation : tagstore::generations(run.connection())) {
    bool more = !generation.published;
    while (more && !run.shouldStop()) {
      more = run.write([&](db::Connection& c) {
        return tagstore::dropSome(c, generation.number, limits_.viewersAtOnce * 4);
      });
    }
  }
}

AssociationRound::Carried AssociationRound::carriedBy(schedule::Run& run,
                                                      const std::vector<ViewerId>& viewers) {
  Carried carried;
  if (const auto published = tagstore::publishedGeneration(run.connection())) {
    for (auto& [viewer, counted] :
         tagstore::countedViewers(run.connection(), published->number, viewers)) {
      carried[viewer] = std::move(counted.carried);
    }
  }
  if (audience_ == nullptr) return carried;
  for (auto& facts : drogon::sync_wait(audience_->viewerFacts(viewers))) {
    if (facts.tags.size() > kTagsMost) facts.tags.resize(kTagsMost);
    carried[facts.id] = std::move(facts.tags);
  }
  return carried;
}

void AssociationRound::count(db::Connection& connection, const tagstore::Generation& generation,
                             const std::vector<ViewerId>& viewers, const Carried& carried) {
  auto counted = tagstore::countedViewers(connection, generation.number, viewers);
  const auto activity = tagstore::activityOf(connection, viewers);
  TagSums change;
  for (const auto viewer : viewers) {
    auto& stands = counted[viewer];
    change.remove(stands.weights);
    const auto named = carried.find(viewer);
    stands.carried = named == carried.end() ? std::vector<std::string>{} : named->second;
    const auto did = activity.find(viewer);
    stands.weights =
        weightsOf(did == activity.end() ? std::vector<RoomActivity>{} : roomsOf(did->second),
                  stands.carried, generation.baseDay);
    change.add(stands.weights);
  }
  tagstore::setCountedViewers(connection, generation.number, counted);
  tagstore::addSums(connection, generation.number, change);
}

std::vector<RoomActivity> AssociationRound::roomsOf(
    const std::vector<tagstore::Activity>& activity) {
  std::vector<RoomActivity> rooms;
  rooms.reserve(activity.size());
  for (const auto& one : activity) {
    rooms.push_back({tagsOf(one.anchor), one.tips, one.watchedSeconds, one.lastAt});
  }
  return rooms;
}

// A room that is not known yet is kept without tags, so that its viewers are marked when it is.
const std::vector<std::string>& AssociationRound::tagsOf(AnchorId anchor) {
  const auto found = rooms_.find(anchor);
  if (found != rooms_.end()) return found->second;
  newRooms_.push_back(anchor);
  auto tags = roomTagsOf(*anchors_, anchor);
  return rooms_.emplace(anchor, std::move(tags).value_or(std::vector<std::string>{})).first->second;
}

void AssociationRound::keepNewRooms(db::Connection& connection) {
  for (const auto anchor : newRooms_) tagstore::setRoomTags(connection, anchor, rooms_.at(anchor));
}

schedule::JobSpec associationJob(db::Database& db2, Duration every,
                                 const anchor::AnchorClient* anchors,
                                 audience::AudienceClient* audience) {
  return {kAssociationJob,
          "analysis",
          every,
          &db2,
          [anchors, audience](schedule::Run& run) { AssociationRound(anchors, audience).run(run); },
          kRoundMost};
}

}  // namespace tipflow::analysis
