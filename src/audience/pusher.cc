#include "audience/pusher.h"

#include <algorithm>

namespace tipflow::audience {

using finance::BatchStatus;
using finance::LedgerTip;

void Pusher::onCommitted(std::span<const LedgerTip> tips) {
  if (tips.empty()) return;
  const LaneSeq first = seqOf(tips.front().id);
  const LaneSeq expected = tail_.empty() ? LaneSeq{cursor_ ? cursor_->value + 1 : first.value}
                                         : LaneSeq{seqOf(tail_.back().id).value + 1};
  const bool follows = first == expected;
  if (follows && tail_.size() + tips.size() <= limits_.tail) {
    tail_.insert(tail_.end(), tips.begin(), tips.end());
  }
  // Else there is a gap in memory, or too much of it: these are read from DB1 when their turn
  // comes.
  committed_ = std::max(committed_, seqOf(tips.back().id));
}

std::optional<Time> Pusher::oldestWaiting() const {
  if (lag() == 0) return std::nullopt;
  const auto first = std::find_if(tail_.begin(), tail_.end(), [this](const LedgerTip& tip) {
    return seqOf(tip.id) > lastCursor_;
  });
  const bool inMemory = first != tail_.end();
  if (inMemory && (seqOf(first->id).value == lastCursor_.value + 1 || !settledUpTo_)) {
    return first->acceptedAt;
  }
  return settledUpTo_;  // the next one is in DB1 alone; it came after this
}

void Pusher::onSeen(LaneSeq last) { committed_ = std::max(committed_, last); }

Pusher::Action Pusher::next(Time now) {
  // A clock that went back must not stop the lane for the length of its jump.
  notBefore_ = std::min(notBefore_, now + limits_.longestPause);
  if (now < notBefore_) return WaitUntil{notBefore_};
  if (cursor_ && *cursor_ >= committed_) return Idle{};
  if (!cursor_) return AskCursor{};
  dropTailBelow(*cursor_);
  if (tail_.empty() || seqOf(tail_.front().id).value != cursor_->value + 1) {
    tail_.clear();
    return Load{*cursor_, limits_.batch};
  }
  const auto count = std::min(limits_.batch, tail_.size());
  gatherUntil_ = std::min(gatherUntil_, now + limits_.gather);
  if (count < limits_.batch && now < gatherUntil_) return WaitUntil{gatherUntil_};
  const auto end = tail_.begin() + static_cast<std::ptrdiff_t>(count);
  Push push{LaneSeq{cursor_->value + 1},
            LaneSeq{cursor_->value + static_cast<std::int64_t>(count)},
            {tail_.begin(), end}};
  return push;
}

void Pusher::onCursor(LaneSeq cursor) {
  cursor_ = cursor;
  lastCursor_ = cursor;
}

void Pusher::onLoaded(std::vector<LedgerTip> tips) {
  if (tips.empty()) throw BrokenInvariant("a committed tip is not in DB1");
  std::int64_t expected = cursor_->value + 1;
  for (const auto& tip : tips) {
    if (laneOf(tip.id) != lane_ || seqOf(tip.id).value != expected++) {
      throw BrokenInvariant("a lane has a hole in DB1");
    }
  }
  tail_.assign(tips.begin(), tips.end());
}

void Pusher::onAnswer(const finance::BatchAnswer& answer, Time now) {
  switch (answer.status) {
    case BatchStatus::applied:
      onCursor(answer.cursor);
      pause_ = Duration{0};
      gatherUntil_ = now + limits_.gather;
      dropTailBelow(answer.cursor);
      return;
    case BatchStatus::conflict:
      // Told the very place it went on from: finance contradicts itself, asking at once won't help.
      if (cursor_ == answer.cursor) return onFailed(now);
      onCursor(answer.cursor);
      return;
    case BatchStatus::heldBack:
      notBefore_ = now + limits_.heldBackPause;
      return;
    case BatchStatus::failed:
    case BatchStatus::unknown:
      onFailed(now);
      return;
  }
}

void Pusher::onFailed(Time now) {
  cursor_.reset();
  pause_ = pause_ == Duration{0} ? limits_.firstPause : std::min(pause_ * 2, limits_.longestPause);
  notBefore_ = now + pause_;
}

void Pusher::dropTailBelow(LaneSeq cursor) {
  while (!tail_.empty() && seqOf(tail_.front().id) <= cursor) {
    settledUpTo_ = tail_.front().acceptedAt;
    tail_.pop_front();
  }
}

}  // namespace tipflow::audience
