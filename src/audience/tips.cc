#include "audience/tips.h"

#include "platform/log.h"

namespace tipflow::audience {
namespace {

std::optional<ErrorCode> errorOf(TipOutcome outcome) {
  switch (outcome) {
    case TipOutcome::created:
    case TipOutcome::exists:
      return std::nullopt;
    case TipOutcome::conflict:
      return ErrorCode::trace_id_conflict;
    case TipOutcome::unavailable:
      return ErrorCode::unavailable;
    case TipOutcome::overloaded:
      return ErrorCode::overloaded;
    case TipOutcome::unknown:
      return ErrorCode::outcome_unknown;
  }
  return ErrorCode::internal_error;
}

// What the request itself says of the tip.
Tip tipOf(ViewerId viewer, const TipRequest& request) {
  Tip tip;
  tip.traceId = request.traceId;
  tip.viewer = viewer;
  tip.room = RoomId{request.roomId.value};
  tip.amount = Fen{request.amount.value};
  if (request.giftId) tip.giftId = static_cast<std::int32_t>(request.giftId->value);
  if (request.count) tip.count = static_cast<std::int32_t>(request.count->value);
  if (request.message) tip.message = request.message->value;
  return tip;
}

TipRequest withoutViewer(const BatchTipRequest& request) {
  return {request.traceId, request.roomId, request.amount,
          request.giftId,  request.count,  request.message};
}

}  // namespace

TipService::TipService(db::Database& db1, Lanes& lanes, ViewerDirectory& viewers,
                       const SessionSums& sums, SessionBoards& boards,
                       anchor::AnchorClient* anchors, finance::FinanceClient* finance,
                       TipPolicy policy, TipTraces& traces, Metrics& metrics)
    : db1_(db1),
      lanes_(lanes),
      traces_(traces),
      viewers_(viewers),
      sums_(sums),
      boards_(boards),
      anchors_(anchors),
      finance_(finance),
      policy_(policy) {
  constexpr std::array<const char*, kTipOutcomes> kWords{"created",     "exists",     "conflict",
                                                         "unavailable", "overloaded", "unknown"};
  for (std::size_t i = 0; i < kTipOutcomes; ++i) {
    outcomes_[i] = &metrics.counter("tipflow_tips_total", "Tips that reached a lane, by outcome.",
                                    {{"outcome", kWords[i]}});
  }
}

Result<Tip> TipService::checked(const ViewerCard& viewer, const TipRequest& request) const {
  if (anchors_ == nullptr) return ErrorCode::role_unavailable;
  const auto room = anchors_->room(RoomId{request.roomId.value});
  if (!room) return ErrorCode::room_not_found;
  const bool kicked = anchors_->kickedUntil(room->id, viewer.id).has_value();
  if (const auto reason = whyNotTip(viewer, *room, kicked, policy_)) return *reason;
  Tip tip = tipOf(viewer.id, request);
  tip.anchor = room->anchor;
  tip.session = room->session;
  tip.anchorGender = room->anchorGender;
  tip.viewerGender = viewer.gender;
  return tip;
}

// A room that is not open here may have been opened a moment ago, at another node.
drogon::Task<> TipService::learnOf(std::set<RoomId> rooms) {
  if (anchors_ == nullptr) co_return;
  for (const auto id : rooms) {
    const auto room = anchors_->room(id);
    if (!room || room->state != anchor::RoomState::live) co_await anchors_->lookAgain(id);
  }
}

drogon::Task<Result<TipService::Given>> TipService::give(ViewerId viewer, TipRequest request,
                                                         TraceContext context) {
  auto card = viewers_.known(viewer);
  if (!card) card = co_await viewers_.card(viewer);
  if (!card) co_return ErrorCode::viewer_not_found;
  auto tip = checked(*card, request);
  if (!tip) {
    std::set<RoomId> rooms{RoomId{request.roomId.value}};
    co_await learnOf(std::move(rooms));
    tip = checked(*card, request);
  }
  if (!tip) {
    // A repeat of a tip that was taken is answered as before, whatever has changed since.
    const auto known = co_await db1_.read(
        [&](db::Connection& connection) { return store::tipByTrace(connection, request.traceId); });
    if (known && sameContent(known->tip, tipOf(viewer, request))) {
      co_return Given{known->id, known->acceptedAt, false};
    }
    co_return tip.error();
  }
  if (context.sampled) traces_.watch(request.traceId, context);
  TipSlot slot;
  auto writing = lanes_.write({&*tip, 1}, {&slot, 1});
  co_await writing;
  count(slot.answer);
  if (context.sampled && slot.answer.outcome != TipOutcome::created) {
    traces_.forget(request.traceId);
  }
  if (const auto error = errorOf(slot.answer.outcome)) co_return *error;
  co_return Given{slot.answer.id, slot.answer.acceptedAt,
                  slot.answer.outcome == TipOutcome::created};
}

drogon::Task<BatchResults> TipService::giveBatch(TipBatchRequest request) {
  const auto& asked = request.tips.items;
  std::vector<ViewerId> ids;
  for (const auto& item : asked) ids.emplace_back(item.viewerId.value);
  const auto cards = co_await viewers_.cards(std::move(ids));
  std::set<RoomId> rooms;
  for (const auto& item : asked) rooms.emplace(item.roomId.value);
  co_await learnOf(std::move(rooms));

  BatchResults answer;
  answer.results.resize(asked.size());
  std::vector<Tip> tips;
  std::vector<std::size_t> places;
  std::vector<std::size_t> refused;
  tips.reserve(asked.size());
  places.reserve(asked.size());
  const auto reject = [&](std::size_t i, ErrorCode code) {
    answer.results[i] = {asked[i].traceId, "rejected", std::nullopt, std::string(info(code).code)};
  };
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const auto card = cards.find(ViewerId{asked[i].viewerId.value});
    if (card == cards.end()) {
      reject(i, ErrorCode::viewer_not_found);
      continue;
    }
    auto tip = checked(card->second, withoutViewer(asked[i]));
    if (!tip) {
      reject(i, tip.error().code);
      refused.push_back(i);
      continue;
    }
    tips.push_back(*std::move(tip));
    places.push_back(i);
  }
  std::vector<TipSlot> slots(tips.size());
  auto writing = lanes_.write(tips, slots);
  co_await writing;
  for (std::size_t k = 0; k < slots.size(); ++k) {
    const auto i = places[k];
    const auto& given = slots[k].answer;
    count(given);
    if (const auto error = errorOf(given.outcome)) {
      reject(i, *error);
    } else {
      answer.results[i] = {asked[i].traceId,
                           given.outcome == TipOutcome::created ? "created" : "exists", given.id,
                           std::nullopt};
    }
  }
  co_await answerRepeats(asked, std::move(refused), answer);
  co_return answer;
}

drogon::Task<> TipService::answerRepeats(const std::vector<BatchTipRequest>& asked,
                                         std::vector<std::size_t> refused, BatchResults& answer) {
  if (refused.empty()) co_return;
  std::vector<TraceId> traceIds;
  for (const auto i : refused) traceIds.push_back(asked[i].traceId);
  const auto known = co_await db1_.read(
      [&](db::Connection& connection) { return store::tipsByTrace(connection, traceIds); });
  std::unordered_map<TraceId, const NumberedTip*> byTrace;
  for (const auto& tip : known) byTrace[tip.tip.traceId] = &tip;
  for (const auto i : refused) {
    const auto found = byTrace.find(asked[i].traceId);
    if (found == byTrace.end()) continue;
    const auto wanted = tipOf(ViewerId{asked[i].viewerId.value}, withoutViewer(asked[i]));
    if (!sameContent(found->second->tip, wanted)) continue;
    answer.results[i] = {asked[i].traceId, "exists", found->second->id, std::nullopt};
  }
}

drogon::Task<std::vector<ShownTip>> TipService::shown(std::vector<NumberedTip> tips) {
  std::vector<ViewerId> ids;
  for (const auto& tip : tips) ids.push_back(tip.tip.viewer);
  const auto cards = co_await viewers_.cards(std::move(ids));
  std::vector<ShownTip> result;
  result.reserve(tips.size());
  for (auto& [id, acceptedAt, tip] : tips) {
    const auto anchor = anchors_ != nullptr ? anchors_->anchor(tip.anchor) : std::nullopt;
    const auto viewer = cards.find(tip.viewer);
    result.push_back({id, tip.traceId, tip.room, tip.anchor,
                      anchor ? anchor->name : std::to_string(tip.anchor.value), tip.viewer,
                      viewer != cards.end() ? viewer->second.name : guestName(tip.viewer),
                      tip.amount, tip.giftId, tip.count,
                      tip.message.empty() ? std::nullopt : std::optional(std::move(tip.message)),
                      acceptedAt});
  }
  co_return result;
}

drogon::Task<Result<ShownTip>> TipService::tip(TraceId traceId) {
  auto found = co_await db1_.read(
      [&](db::Connection& connection) { return store::tipByTrace(connection, traceId); });
  if (!found) co_return ErrorCode::tip_not_found;
  std::vector<NumberedTip> one;
  one.push_back(std::move(*found));
  auto tips = co_await shown(std::move(one));
  co_return std::move(tips.front());
}

drogon::Task<http::Page<ShownTip>> TipService::tips(store::TipFilter filter,
                                                    std::optional<store::TipPlace> after,
                                                    int limit) {
  if (filter.anchor && !filter.room && anchors_ != nullptr) {
    // An anchor has one room, and the index is by room.
    if (const auto card = anchors_->anchor(*filter.anchor)) filter.room = card->room;
  }
  auto reading = db1_.readPage(!after, [&](db::Connection& connection) {
    return store::tips(connection, filter, after, limit + 1);
  });
  auto found = co_await reading;
  http::Page<ShownTip> page;
  if (static_cast<int>(found.size()) > limit) {
    found.resize(static_cast<std::size_t>(limit));
    page.nextPageToken = http::makePageToken({found.back().acceptedAt.us, found.back().id.value});
  }
  page.items = co_await shown(std::move(found));
  co_return page;
}

drogon::Task<Result<Journey>> TipService::journey(TraceId traceId) {
  const auto tip = co_await db1_.read(
      [&](db::Connection& connection) { return store::tipByTrace(connection, traceId); });
  if (!tip) co_return ErrorCode::tip_not_found;
  std::optional<finance::Settlement> settlement;
  if (finance_ != nullptr) {
    try {
      settlement = co_await finance_->settlement(tip->id);
    } catch (const db::Error& away) {
      // What is not known now is shown as not done yet: the page is asked again.
      log::warn("audience", "finance is away", log::field("error", std::string_view(away.what())));
    }
  }
  Journey journey;
  journey.traceId = tip->tip.traceId;
  journey.tipId = tip->id;
  const bool settled = settlement.has_value();
  const auto at = [&](Time time) { return settled ? std::optional(time) : std::nullopt; };
  journey.steps = {
      {"accepted", true, tip->acceptedAt},
      {"committed", true, settled ? settlement->committedAt : std::nullopt},
      {"pushed", settled, settled ? at(settlement->pushedAt) : std::nullopt},
      {"settled", settled, settled ? at(settlement->settledAt) : std::nullopt},
      {"counted", false, std::nullopt},
  };
  if (settled) {
    journey.settlement = {settlement->rate, settlement->anchorUnits, settlement->platformUnits};
    journey.hour = startOfHour(tip->acceptedAt);
    if (const auto by = co_await countedBy(tip->id)) {
      // Sums that were read while it was being settled may hold it already.
      journey.steps.back() = {"counted", true, std::max(*by, settlement->settledAt)};
    }
  }
  co_return journey;
}

drogon::Task<std::optional<Time>> TipService::countedBy(TipId tip) const {
  if (analysis_ == nullptr) co_return std::nullopt;
  try {
    co_return co_await analysis_->countedBy(tip);
  } catch (const db::Error& away) {
    log::warn("audience", "analysis is away", log::field("error", std::string_view(away.what())));
    co_return std::nullopt;
  }
}

drogon::Task<std::vector<LaneSum>> TipService::laneSums(std::map<LaneId, LaneSeq> cursors) {
  std::vector<store::Seal> seals;
  auto sums = co_await db1_.read([&](db::Connection& connection) {
    seals.clear();
    connection.beginSnapshot();
    try {
      auto result = store::laneSums(connection, cursors, seals);
      connection.commit();
      return result;
    } catch (...) {
      connection.rollback();
      throw;
    }
  });
  if (!seals.empty()) {
    co_await db1_.write([&](db::Connection& connection) {
      store::keepSeals(connection, seals);
      return true;
    });
  }
  co_return sums;
}

drogon::Task<std::vector<TagUse>> TipService::tagUse(std::optional<std::string> part,
                                                     std::string after, int limit) {
  co_return co_await db1_.readPage(after.empty(), [&](db::Connection& connection) {
    return store::tagUse(connection, part, after, limit);
  });
}

drogon::Task<std::vector<ViewerFacts>> TipService::viewerFacts(std::vector<ViewerId> viewers) {
  if (viewers.size() > kFactsMost) throw std::invalid_argument("too many viewers at once");
  co_return co_await db1_.read(
      [&](db::Connection& connection) { return store::facts(connection, viewers); });
}

drogon::Task<TipSum> TipService::sessionSum(RoomId room, SessionId session, Time from, Time until) {
  co_return co_await db1_.read([&](db::Connection& connection) {
    return store::sessionSum(connection, room, session, from, until);
  });
}

}  // namespace tipflow::audience
