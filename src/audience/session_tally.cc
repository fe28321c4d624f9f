#include "audience/session_tally.h"

namespace tipflow::audience {

void SessionTally::clear() {
  marks_.clear();
  sessions_.clear();
}

LaneSeq SessionTally::mark(LaneId lane) const {
  const auto found = marks_.find(lane);
  return found == marks_.end() ? LaneSeq{0} : found->second;
}

void SessionTally::take(LaneId lane, const std::vector<LaneTip>& tips) {
  if (tips.empty()) return;
  auto& mark = marks_[lane];
  for (const auto& tip : tips) {
    if (tip.seq <= mark) continue;
    if (tip.seq.value != mark.value + 1) return;  // what stands between is not to be seen yet
    mark = tip.seq;
    const auto found = sessions_.find(tip.session);
    if (found == sessions_.end()) continue;
    auto& session = found->second;
    ++session.sum.tips;
    session.sum.amount += tip.amount;
    session.given[tip.viewer] += tip.amount;
  }
}

void SessionTally::begin(SessionId id, const std::vector<Given>& soFar, Time now) {
  Session session;
  session.askedAt = now;
  for (const auto& [viewer, sum] : soFar) {
    session.sum.tips += sum.tips;
    session.sum.amount += sum.amount;
    session.given[viewer] += sum.amount;
  }
  sessions_[id] = std::move(session);
}

void SessionTally::dropUnasked(Time since) {
  std::erase_if(sessions_, [&](const auto& item) { return item.second.askedAt < since; });
}

TipSum SessionTally::sum(SessionId id) const {
  const auto found = sessions_.find(id);
  return found == sessions_.end() ? TipSum{} : found->second.sum;
}

std::vector<BoardPlace> SessionTally::top(SessionId id, std::size_t limit, Time now) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return {};
  found->second.askedAt = now;
  std::vector<ViewerSum> given;
  given.reserve(found->second.given.size());
  for (const auto& [viewer, amount] : found->second.given) given.push_back({viewer, amount});
  return boardOf(std::move(given), limit);
}

}  // namespace tipflow::audience
