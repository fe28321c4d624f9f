#include "audience/tip_traces.h"

#include "platform/log.h"

namespace tipflow::audience {

void TipTraces::watch(const TraceId& tip, const TraceContext& request) {
  const std::lock_guard lock(mutex_);
  if (asked_.size() + committed_.size() >= most_) {
    // Nobody pushes: what waits longest would be told too late to be of use.
    asked_.clear();
    committed_.clear();
  }
  asked_[tip] = {request, clock_.now()};
  any_.store(true, std::memory_order_release);
}

void TipTraces::forget(const TraceId& tip) {
  const std::lock_guard lock(mutex_);
  asked_.erase(tip);
}

void TipTraces::onCommitted(LaneId lane, const std::vector<NumberedTip>& tips, Time at) {
  if (!any_.load(std::memory_order_acquire)) return;
  const std::lock_guard lock(mutex_);
  if (asked_.empty()) return;
  for (const auto& tip : tips) {
    const auto found = asked_.find(tip.tip.traceId);
    if (found == asked_.end()) continue;
    const auto [request, askedAt] = found->second;
    asked_.erase(found);
    log::Span span{"tip commit", "audience", request.child(random_.bits() | 1U),
                   request.span, askedAt,    at};
    log::span(span, log::field("tip", tip.tip.traceId.hex()), log::field("tipId", tip.id.value),
              log::field("batch", tips.size()));
    log::line(log::Level::info, "audience", log::to(span.context), "tip committed",
              log::field("tip", tip.tip.traceId.hex()), log::field("tipId", tip.id.value));
    committed_[{lane, seqOf(tip.id)}] = {tip.tip.traceId, tip.id, request};
  }
}

std::vector<finance::TracedTip> TipTraces::onPush(LaneId lane, LaneSeq from, LaneSeq to, Time at) {
  std::vector<finance::TracedTip> traced;
  if (!any_.load(std::memory_order_acquire)) return traced;
  const std::lock_guard lock(mutex_);
  for (auto place = committed_.lower_bound({lane, from});
       place != committed_.end() && place->first <= Place{lane, to}; ++place) {
    auto& tip = place->second;
    tip.push = random_.bits() | 1U;
    tip.pushedAt = at;
    traced.push_back({tip.id, tip.tip, tip.request.child(tip.push)});
  }
  return traced;
}

void TipTraces::onPushed(LaneId lane, LaneSeq from, LaneSeq to, bool settled, Time at) {
  if (!any_.load(std::memory_order_acquire)) return;
  const std::lock_guard lock(mutex_);
  auto place = committed_.lower_bound({lane, from});
  while (place != committed_.end() && place->first <= Place{lane, to}) {
    const auto& tip = place->second;
    const log::Span span{"tip push",       "audience",   tip.request.child(tip.push),
                         tip.request.span, tip.pushedAt, at,
                         !settled};
    log::span(span, log::field("tip", tip.tip.hex()), log::field("tipId", tip.id.value));
    log::line(log::Level::info, "audience", log::to(span.context),
              settled ? "tip pushed" : "tip push failed, it waits",
              log::field("tip", tip.tip.hex()), log::field("tipId", tip.id.value));
    place = settled ? committed_.erase(place) : std::next(place);
  }
  any_.store(!asked_.empty() || !committed_.empty(), std::memory_order_release);
}

}  // namespace tipflow::audience
