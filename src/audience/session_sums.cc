#include "audience/session_sums.h"

#include <algorithm>
#include <mutex>
#include <tuple>

namespace tipflow::audience {
namespace {

wire::SessionSum shown(SessionId session, const TipSum& sum) {
  return {{session.value}, {sum.tips}, {sum.amount.value}};
}

TipSum sumOf(const wire::SessionSum& told) { return {told.tips.value, Fen{told.amount.value}}; }

}  // namespace

void SessionSums::add(LaneId lane, const std::vector<NumberedTip>& tips) {
  const std::unique_lock lock(mutex_);
  auto& entry = lanes_[lane];
  entry.own = true;
  entry.fresh = true;
  if (isFinished(lane)) recount_ = true;
  for (const auto& tip : tips) {
    auto& sum = entry.sums[tip.tip.session];
    ++sum.sum.tips;
    sum.sum.amount += tip.tip.amount;
    sum.told = false;
    sum.closed = false;
  }
}

void SessionSums::take(const wire::SumsNews& news) {
  const std::unique_lock lock(mutex_);
  if (news.finished) takeFinished(*news.finished);
  for (const auto& told : news.lanes.items) {
    const LaneId lane{told.lane.value};
    if (isFinished(lane)) continue;
    auto& entry = lanes_[lane];
    if (entry.own) continue;  // our own words
    if (news.whole) entry.sums.clear();
    for (const auto& sum : told.sums.items) {
      entry.sums[SessionId{sum.sessionId.value}].sum = sumOf(sum);
    }
  }
}

// More lanes are finished as time goes on, never fewer: whoever counts fewer has not noticed yet.
void SessionSums::takeFinished(const wire::FinishedSums& told) {
  if (finished_) {
    const auto& known = finished_->told;
    if (std::tie(told.round.value, told.lanes.value) <
        std::tie(known.round.value, known.lanes.value)) {
      return;
    }
  }
  Finished fresh{told, {}, {}};
  for (const auto& lane : told.except.items) fresh.except.insert(LaneId{lane.value});
  for (const auto& sum : told.sums.items) {
    fresh.sums[SessionId{sum.sessionId.value}] = sumOf(sum);
  }
  finished_ = std::move(fresh);
  recount_ = std::any_of(lanes_.begin(), lanes_.end(), [this](const auto& entry) {
    return entry.second.own && entry.second.fresh && isFinished(entry.first);
  });
  std::erase_if(lanes_,
                [this](const auto& entry) { return !entry.second.own && isFinished(entry.first); });
}

bool SessionSums::isFinished(LaneId lane) const {
  return finished_ && lane.value <= finished_->told.below.value &&
         !finished_->except.contains(lane);
}

TipSum SessionSums::of(SessionId session) const {
  const std::shared_lock lock(mutex_);
  TipSum total;
  const auto add = [&](const TipSum& sum) {
    total.tips += sum.tips;
    total.amount += sum.amount;
  };
  if (finished_) {
    if (const auto found = finished_->sums.find(session); found != finished_->sums.end()) {
      add(found->second);
    }
  }
  for (const auto& [lane, entry] : lanes_) {
    if (isFinished(lane)) continue;
    if (const auto found = entry.sums.find(session); found != entry.sums.end()) {
      add(found->second.sum);
    }
  }
  return total;
}

wire::SumsNews SessionSums::news(bool all) {
  const std::unique_lock lock(mutex_);
  wire::SumsNews news;
  news.whole = all;
  for (auto& [lane, entry] : lanes_) {
    if (!entry.own || isFinished(lane)) continue;
    wire::LaneSums told{{lane.value}, {}};
    for (auto& [session, sum] : entry.sums) {
      if (sum.told && !all) continue;
      sum.told = true;
      told.sums.items.push_back(shown(session, sum.sum));
    }
    if (all || !told.sums.items.empty()) news.lanes.items.push_back(std::move(told));
  }
  if (all && finished_) news.finished = finished_->told;
  return news;
}

std::vector<LaneId> SessionSums::ownLanes() const {
  const std::shared_lock lock(mutex_);
  std::vector<LaneId> own;
  for (const auto& [lane, entry] : lanes_) {
    if (entry.own) own.push_back(lane);
  }
  return own;
}

std::optional<wire::FinishedSums> SessionSums::finished() const {
  const std::shared_lock lock(mutex_);
  return finished_ ? std::optional(finished_->told) : std::nullopt;
}

bool SessionSums::mustRecount() const {
  const std::shared_lock lock(mutex_);
  return recount_;
}

void SessionSums::forgetClosed(const std::set<SessionId>& open) {
  const std::unique_lock lock(mutex_);
  for (auto& [lane, entry] : lanes_) {
    entry.fresh = false;
    std::erase_if(entry.sums,
                  [&](const auto& sum) { return sum.second.closed && !open.contains(sum.first); });
    for (auto& [session, sum] : entry.sums) sum.closed = !open.contains(session);
  }
}

}  // namespace tipflow::audience
