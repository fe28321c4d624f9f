#include "audience/lane.h"

#include <algorithm>
#include <utility>

namespace tipflow::audience {
namespace {

// A duplicate whose row cannot be found may be a row that was rolled back in between; more than
// this many in a row cannot.
constexpr int kUnexplainedEnd = 3;
constexpr Ticket kAnswered = 0;

}  // namespace

bool Lane::submit(Ticket ticket, Tip tip, Time now) {
  if (state_ == State::givenUp || queue_.size() >= limits_.queue) return false;
  queue_.push_back({ticket, std::move(tip), now});
  return true;
}

Lane::Action Lane::next(Time now) {
  while (state_ == State::idle && !queue_.empty()) formBatch(now);
  switch (state_) {
    case State::idle:
    case State::givenUp:
      return Idle{};
    case State::inserting:
      return Insert{batch_};
    case State::probing:
      return Probe{batch_.front().id};
    case State::lookingUp: {
      LookUp lookUp;
      lookUp.traceIds.reserve(batch_.size());
      for (const auto& row : batch_) lookUp.traceIds.push_back(row.tip.traceId);
      return lookUp;
    }
  }
  throw BrokenInvariant("a lane in no state");
}

// Takes tips off the queue, answers those whose traceId was committed lately, and numbers the rest.
// May leave the lane idle, when all of them were repeats.
void Lane::formBatch(Time now) {
  places_.clear();
  while (!queue_.empty() && batch_.size() < limits_.batch) {
    Waiting waiting = std::move(queue_.front());
    queue_.pop_front();
    if (const auto known = recent_.find(waiting.tip.traceId); known != recent_.end()) {
      answerFrom(waiting.ticket, waiting.tip, known->second);
      continue;
    }
    const auto [place, isNew] = places_.try_emplace(waiting.tip.traceId, batch_.size());
    if (!isNew) {
      followers_.push_back({waiting.ticket, std::move(waiting.tip), place->second});
      continue;
    }
    batch_.push_back({TipId{}, Time{}, std::move(waiting.tip)});
    tickets_.push_back(waiting.ticket);
    since_.push_back(waiting.since);
  }
  if (batch_.empty()) return;
  lastAccepted_ = std::max(lastAccepted_, now);
  for (auto& row : batch_) row.acceptedAt = lastAccepted_;
  renumber();
  unexplained_ = 0;
  lostOnce_ = false;
  state_ = State::inserting;
}

void Lane::renumber() {
  if (nextSeq_ + static_cast<std::int64_t>(batch_.size()) > kLaneSeqEnd) {
    throw BrokenInvariant("the numbers of a lane are used up");
  }
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    batch_[i].id = tipIdOf(id_, LaneSeq{nextSeq_ + static_cast<std::int64_t>(i)});
  }
}

void Lane::onInserted() { commitBatch(); }

void Lane::onDuplicate() { state_ = State::lookingUp; }

void Lane::onLost() {
  // A lost connection while looking up or probing leaves the same question open: ask it again.
  if (state_ == State::inserting) state_ = State::probing;
  lostOnce_ = true;
}

void Lane::onRefused() {
  // The lost try may still commit under these numbers: they cannot be given to other tips.
  if (lostOnce_) throw BrokenInvariant("tips are refused that an earlier try may still write");
  giveUpBatch(TipOutcome::unavailable);
}

void Lane::onProbed(bool present) {
  // The statement is atomic and its numbers were given to nobody else: its first row is there
  // exactly when all of it is. Else it is sent again with the same numbers, so that the first
  // attempt, should it commit after all, shows as a duplicate with our own number.
  if (present) {
    commitBatch();
  } else {
    state_ = State::inserting;
  }
}

void Lane::onFound(std::span<const NumberedTip> rows) {
  ByTraceId<const NumberedTip*> found;
  found.reserve(rows.size());
  for (const auto& row : rows) found.emplace(row.tip.traceId, &row);
  if (found.empty()) {
    if (++unexplained_ >= kUnexplainedEnd) {
      throw BrokenInvariant("a duplicate key without its row: the lane's numbers are not its own");
    }
    state_ = State::inserting;
    return;
  }
  // A row with the number this attempt gave it is ours: an earlier try of the same statement
  // committed, and with it the whole batch.
  const auto first = found.find(batch_.front().tip.traceId);
  if (first != found.end() && first->second->id == batch_.front().id) {
    commitBatch();
    return;
  }

  std::vector<NumberedTip> rest;
  std::vector<Ticket> restTickets;
  std::vector<Time> restSince;
  std::vector<std::size_t> newPlace(batch_.size());
  std::vector<const NumberedTip*> truth(batch_.size(), nullptr);
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    const auto row = found.find(batch_[i].tip.traceId);
    if (row != found.end()) {
      truth[i] = row->second;
      answerFrom(tickets_[i], batch_[i].tip, knownOf(*row->second));
      remember(*row->second);
      continue;
    }
    newPlace[i] = rest.size();
    rest.push_back(std::move(batch_[i]));
    restTickets.push_back(tickets_[i]);
    restSince.push_back(since_[i]);
  }
  std::vector<Follower> restFollowers;
  for (auto& follower : followers_) {
    if (truth[follower.leader] != nullptr) {
      answerFrom(follower.ticket, follower.tip, knownOf(*truth[follower.leader]));
    } else {
      follower.leader = newPlace[follower.leader];
      restFollowers.push_back(std::move(follower));
    }
  }
  batch_ = std::move(rest);
  tickets_ = std::move(restTickets);
  since_ = std::move(restSince);
  followers_ = std::move(restFollowers);
  unexplained_ = 0;
  renumber();
  state_ = batch_.empty() ? State::idle : State::inserting;
}

void Lane::commitBatch() {
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    answer(tickets_[i], TipOutcome::created, batch_[i].id, batch_[i].acceptedAt);
    remember(batch_[i]);
  }
  for (const auto& follower : followers_) {
    answerFrom(follower.ticket, follower.tip, knownOf(batch_[follower.leader]));
  }
  nextSeq_ += static_cast<std::int64_t>(batch_.size());
  if (committed_.empty()) {
    committed_ = std::move(batch_);
  } else {
    committed_.insert(committed_.end(), std::make_move_iterator(batch_.begin()),
                      std::make_move_iterator(batch_.end()));
  }
  batch_.clear();
  tickets_.clear();
  since_.clear();
  followers_.clear();
  state_ = State::idle;
}

void Lane::answer(Ticket ticket, TipOutcome outcome, TipId id, Time acceptedAt) {
  if (ticket != kAnswered) answers_.push_back({ticket, outcome, id, acceptedAt});
}

void Lane::answerFrom(Ticket ticket, const Tip& asked, const Known& truth) {
  if (contentOf(asked) == truth.content) {
    answer(ticket, TipOutcome::exists, truth.id, truth.acceptedAt);
  } else {
    answer(ticket, TipOutcome::conflict);
  }
}

void Lane::remember(const NumberedTip& tip) {
  if (limits_.recent == 0) return;
  if (!recent_.try_emplace(tip.tip.traceId, knownOf(tip)).second) return;
  recentOrder_.push_back(tip.tip.traceId);
  if (recentOrder_.size() > limits_.recent) {
    recent_.erase(recentOrder_.front());
    recentOrder_.pop_front();
  }
}

bool Lane::isUnderWay(const TraceId& traceId) const {
  return std::any_of(batch_.begin(), batch_.end(),
                     [&](const NumberedTip& row) { return row.tip.traceId == traceId; });
}

std::vector<TraceId> Lane::underWay() const {
  std::vector<TraceId> traceIds;
  for (const auto& row : batch_) traceIds.push_back(row.tip.traceId);
  return traceIds;
}

void Lane::expire(Time now) {
  // A clock that went back must not make anyone wait for the length of its jump.
  const auto overdue = [&](Time& since) {
    since = std::min(since, now);
    return now - since >= limits_.wait;
  };
  if (!queue_.empty() && (queue_.front().since > now || queue_.back().since > now)) {
    for (auto& waiting : queue_) waiting.since = std::min(waiting.since, now);
  }
  // The first has waited longest.
  while (!queue_.empty() && overdue(queue_.front().since)) {
    const auto& waiting = queue_.front();
    answer(waiting.ticket,
           isUnderWay(waiting.tip.traceId) ? TipOutcome::unknown : TipOutcome::unavailable);
    queue_.pop_front();
  }
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    if (!overdue(since_[i])) continue;
    answer(std::exchange(tickets_[i], kAnswered), TipOutcome::unknown);
    for (auto& follower : followers_) {
      if (follower.leader == i) {
        answer(std::exchange(follower.ticket, kAnswered), TipOutcome::unknown);
      }
    }
  }
}

void Lane::abandon() {
  for (auto& waiting : queue_) {
    answer(waiting.ticket,
           isUnderWay(waiting.tip.traceId) ? TipOutcome::unknown : TipOutcome::unavailable);
  }
  queue_.clear();
  giveUpBatch(TipOutcome::unknown);
  state_ = State::givenUp;
}

void Lane::giveUpBatch(TipOutcome outcome) {
  for (const Ticket ticket : tickets_) answer(ticket, outcome);
  for (const auto& follower : followers_) answer(follower.ticket, outcome);
  batch_.clear();
  tickets_.clear();
  since_.clear();
  followers_.clear();
  state_ = State::idle;
}

}  // namespace tipflow::audience
