#include "analysis/tag_service.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "analysis/association_round.h"
#include "platform/log.h"

namespace tipflow::analysis {
namespace {

// Beyond these many partners of a tag the lightest are not looked at.
constexpr int kPartnersMost = 5'000;
constexpr int kRoomsOfViewerMost = 500;
constexpr std::size_t kCandidatesMost = 200;
constexpr Duration kPopularFor{kUsPerDay};

/// Six digits: what is beyond them says nothing.
double shown(double association) { return std::round(association * 1e6) / 1e6; }

std::optional<Time> asOf(const tagstore::Generation& generation) {
  return generation.asOf == Time{} ? std::nullopt : std::optional(generation.asOf);
}

TagSum sumOf(const std::map<std::string, TagSum>& sums, const std::string& tag) {
  const auto found = sums.find(tag);
  return found == sums.end() ? TagSum{} : found->second;
}

RelatedTags readRelated(db::Connection& connection, std::string tag, std::size_t limit) {
  RelatedTags answer{.tag = std::move(tag), .viewers = 0, .items = {}, .asOf = {}};
  const auto generation = tagstore::publishedGeneration(connection);
  if (!generation) return answer;
  answer.asOf = asOf(*generation);
  const auto partners =
      tagstore::partnersOf(connection, generation->number, answer.tag, kPartnersMost);
  std::vector<std::string> tags{answer.tag};
  for (const auto& [partner, _] : partners) tags.push_back(partner);
  const auto sums = tagstore::sumsOf(connection, generation->number, tags);
  const auto own = sumOf(sums, answer.tag);
  answer.viewers = own.viewers;
  for (const auto& [partner, both] : partners) {
    const auto association = shown(associationOf(own, sumOf(sums, partner), both));
    answer.items.push_back({partner, association, both.viewers});
  }
  std::sort(answer.items.begin(), answer.items.end(), [](const auto& a, const auto& b) {
    return std::tuple(-a.association, -a.viewers, a.tag) <
           std::tuple(-b.association, -b.viewers, b.tag);
  });
  if (answer.items.size() > limit) answer.items.resize(limit);
  return answer;
}

TagMatrix readMatrix(db::Connection& connection, int limit) {
  TagMatrix answer;
  const auto generation = tagstore::publishedGeneration(connection);
  if (!generation) return answer;
  answer.asOf = asOf(*generation);
  std::vector<std::string> tags;
  std::map<std::string, TagSum> sums;
  for (const auto& [tag, sum] : tagstore::heaviestTags(connection, generation->number, limit)) {
    answer.tags.push_back({tag, sum.viewers});
    tags.push_back(tag);
    sums[tag] = sum;
  }
  const Associations associations(
      std::move(sums), tagstore::pairsBetween(connection, generation->number, tags, tags));
  for (const auto& a : tags) {
    auto& row = answer.associations.emplace_back();
    for (const auto& b : tags) row.push_back(shown(associations.of(a, b)));
  }
  return answer;
}

std::map<AnchorId, std::int64_t> recentTips(db::Connection& connection, Time since) {
  std::map<AnchorId, std::int64_t> tips;
  connection.query("SELECT anchor_id, SUM(tips) FROM hourly_tip WHERE hour >= ? GROUP BY anchor_id",
                   {since},
                   [&](const db::Row& row) { tips[row.id<AnchorId>(0)] = row.integer(1); });
  return tips;
}

Associations associationsBetween(db::Connection& connection, const tagstore::Generation& generation,
                                 const std::vector<std::string>& viewerTags,
                                 const std::vector<CandidateRoom>& rooms) {
  std::set<std::string> roomTags;
  for (const auto& room : rooms) roomTags.insert(room.tags.begin(), room.tags.end());
  const std::vector<std::string> others(roomTags.begin(), roomTags.end());
  roomTags.insert(viewerTags.begin(), viewerTags.end());
  return {tagstore::sumsOf(connection, generation.number, {roomTags.begin(), roomTags.end()}),
          tagstore::pairsBetween(connection, generation.number, viewerTags, others)};
}

}  // namespace

drogon::Task<RelatedTags> TagService::related(std::string tag, int limit) {
  auto read = [tag = std::move(tag), limit](db::Connection& c) {
    return readRelated(c, tag, static_cast<std::size_t>(limit));
  };
  co_return co_await db2_.read(std::move(read));
}

drogon::Task<TagMatrix> TagService::matrix(int limit) {
  auto read = [limit](db::Connection& c) { return readMatrix(c, limit); };
  co_return co_await db2_.read(std::move(read));
}

drogon::Task<Result<Recommendations>> TagService::recommended(ViewerId viewer, int limit) {
  if (anchors_ == nullptr) co_return ErrorCode::role_unavailable;
  std::optional<std::vector<std::string>> carried;
  bool unknown = false;
  if (audience_ != nullptr) {
    try {
      std::vector<ViewerId> asked{viewer};
      auto facts = co_await audience_->viewerFacts(std::move(asked));
      unknown = facts.empty();
      if (!unknown) carried = std::move(facts.front().tags);
    } catch (const std::exception& error) {
      // The tags it was last counted with are as good as new.
      log::warn("analysis", "a viewer's tags could not be asked for",
                log::field("viewer", viewer.value),
                log::field("error", std::string_view(error.what())));
    }
  }
  if (unknown) co_return ErrorCode::viewer_not_found;
  // On a worker as a whole: ranking is too much for an event loop.
  auto read = [this, viewer, carried = std::move(carried), limit](db::Connection& c) {
    return recommend(c, viewer, carried, limit);
  };
  co_return co_await db2_.read(std::move(read));
}

Recommendations TagService::recommend(db::Connection& connection, ViewerId viewer,
                                      std::optional<std::vector<std::string>> carried,
                                      int limit) const {
  Recommendations answer{.viewerId = viewer, .tags = {}, .items = {}, .asOf = {}};
  const Time now = clock_.now();
  const auto generation = tagstore::publishedGeneration(connection);
  const auto number = generation ? generation->number : 0;
  if (generation) answer.asOf = asOf(*generation);
  if (!carried) {
    const auto counted = tagstore::countedViewers(connection, number, {viewer});
    carried = counted.empty() ? std::vector<std::string>{} : counted.begin()->second.carried;
  }
  const auto activity = tagstore::newestActivity(connection, viewer, kRoomsOfViewerMost);
  std::vector<RoomActivity> did;
  for (const auto& one : activity) {
    auto tags = roomTagsOf(*anchors_, one.anchor);
    if (tags) did.push_back({*std::move(tags), one.tips, one.watchedSeconds, one.lastAt});
  }
  answer.tags = *carried;
  for (const auto& [tag, _] : weightsOf(did, *carried, dayOf(now))) {
    if (std::find(carried->begin(), carried->end(), tag) == carried->end()) {
      answer.tags.push_back(tag);
    }
  }
  if (answer.tags.size() > kTagsMost) answer.tags.resize(kTagsMost);

  const auto rooms = candidates(connection, viewer, activity);
  const auto associations = associationsBetween(
      connection, generation.value_or(tagstore::Generation{}), answer.tags, rooms);
  for (auto& ranked :
       rankRooms(answer.tags, rooms, associations, now, static_cast<std::size_t>(limit))) {
    const auto& room = rooms[ranked.candidate];
    const auto card = anchors_->room(room.room);
    const auto owner = card ? anchors_->anchor(card->anchor) : std::nullopt;
    if (!owner) continue;
    for (auto& reason : ranked.because) reason.association = shown(reason.association);
    answer.items.push_back({room.room, owner->id, owner->name, card->state, room.tags,
                            shown(ranked.score), std::move(ranked.because)});
  }
  return answer;
}

// Live rooms, and those where most was tipped lately; never one that is banned or that the viewer
// was sent out of.
std::vector<CandidateRoom> TagService::candidates(
    db::Connection& connection, ViewerId viewer,
    const std::vector<tagstore::Activity>& activity) const {
  const Time now = clock_.now();
  const auto tips = recentTips(connection, startOfHour(now - kPopularFor));
  std::map<AnchorId, Time> seen;
  for (const auto& one : activity) seen[one.anchor] = one.lastAt;

  std::vector<CandidateRoom> rooms;
  const auto add = [&](const anchor::RoomCard& card) {
    const auto until = anchors_->kickedUntil(card.id, viewer);
    if (card.state == anchor::RoomState::banned || (until && *until > now)) return;
    CandidateRoom room;
    room.room = card.id;
    room.live = card.state == anchor::RoomState::live;
    if (const auto found = tips.find(card.anchor); found != tips.end()) {
      room.recentTips = found->second;
    }
    if (const auto found = seen.find(card.anchor); found != seen.end()) {
      room.seenAt = found->second;
    }
    rooms.push_back(std::move(room));
  };
  for (const auto& card : anchors_->liveRooms()) add(card);
  for (const auto& [anchor, _] : tips) {
    const auto owner = anchors_->anchor(anchor);
    const auto card = owner ? anchors_->room(owner->room) : std::nullopt;
    if (card && card->state == anchor::RoomState::off) add(*card);
  }
  std::sort(rooms.begin(), rooms.end(), [](const CandidateRoom& a, const CandidateRoom& b) {
    return std::tuple(!a.live, -a.recentTips, a.room) < std::tuple(!b.live, -b.recentTips, b.room);
  });
  if (rooms.size() > kCandidatesMost) rooms.resize(kCandidatesMost);
  for (auto& room : rooms) {
    room.tags = anchors_->roomTags(room.room);
    if (room.tags.size() > kTagsMost) room.tags.resize(kTagsMost);
  }
  return rooms;
}

}  // namespace tipflow::analysis
