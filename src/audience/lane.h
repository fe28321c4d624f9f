// The lane: numbers tips, groups them into statements, and finds out what became of each.
// A protocol core: events in, actions out; no thread, no clock, no database. The driver runs one
// action at a time and reports how it ended; answers for waiting clients are taken after each call.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "audience/tip.h"

namespace tipflow::audience {

/// Names a waiting client; meaningless to the lane, but never 0.
using Ticket = std::uint64_t;

/// Ordered by how much is known: the first three are final.
enum class TipOutcome {
  created,      ///< durably committed by this request
  exists,       ///< durably committed before, with the same content
  conflict,     ///< the traceId names a tip with other content; nothing changed
  unavailable,  ///< certainly not written: the database is away
  overloaded,   ///< certainly not written: the queue is full
  unknown,      ///< still being found out; the same traceId asks again
};
inline constexpr std::size_t kTipOutcomes = 6;

struct TipAnswer {
  Ticket ticket = 0;
  TipOutcome outcome = TipOutcome::unavailable;
  TipId id = {};         ///< of the committed tip, for created and exists
  Time acceptedAt = {};  ///< of the committed tip, for created and exists
};

struct LaneLimits {
  std::size_t batch = 1'000;            ///< rows a statement at most
  std::size_t queue = 20'000;           ///< tips waiting at most; more are refused before queueing
  std::size_t recent = 32'768;          ///< committed tips remembered, to answer repeats at once
  Duration wait = Duration{5'000'000};  ///< how long a client waits before it is told something
};

class Lane {
 public:
  /// Nothing to do until a tip is submitted.
  struct Idle {};
  /// Run one multi-row INSERT of these rows as one transaction of its own.
  struct Insert {
    std::span<const NumberedTip> rows;
  };
  /// Read, in a new snapshot, the rows that hold these traceIds.
  struct LookUp {
    std::vector<TraceId> traceIds;
  };
  /// On a connection known to be alive: is the row with this id there?
  struct Probe {
    TipId first;
  };
  using Action = std::variant<Idle, Insert, LookUp, Probe>;

  Lane(LaneId id, LaneLimits limits) : id_(id), limits_(limits) {}

  [[nodiscard]] LaneId id() const { return id_; }
  /// The number of the last tip known to be committed; 0 before the first.
  [[nodiscard]] LaneSeq lastCommitted() const { return LaneSeq{nextSeq_ - 1}; }
  [[nodiscard]] std::size_t queued() const { return queue_.size(); }
  [[nodiscard]] bool idle() const { return queue_.empty() && batch_.empty(); }

  /// Queues a tip; false, and nothing queued, when the queue is full.
  [[nodiscard]] bool submit(Ticket ticket, Tip tip, Time now);

  /// What to do next. Between an action and its event, `next` gives the same action again.
  Action next(Time now);

  // How the action ended ---------------------------------------------------------------------
  /// The INSERT committed.
  void onInserted();
  /// The INSERT failed as a whole on a duplicate key: nothing of it was written.
  void onDuplicate();
  /// The INSERT certainly did nothing (deadlock, lock wait, disk full): it is tried again.
  void onRolledBack() {}
  /// The database refused the INSERT for good, and nothing of this try was written: its tips are
  /// given up, so that they do not hold up the lane. Throws BrokenInvariant when an earlier try was
  /// lost and may still be written: then the lane must be given up.
  void onRefused();
  /// The connection went away: whether the INSERT committed is not known.
  void onLost();
  /// The rows a LookUp found. Throws BrokenInvariant when a duplicate cannot be explained
  /// repeatedly: the lane's number space is not its own, and it must be given up.
  void onFound(std::span<const NumberedTip> rows);
  /// What a Probe saw.
  void onProbed(bool present);

  /// Answers clients that have waited too long: `unavailable` when still queued (the tip is
  /// taken out), `unknown` when its statement is under way.
  void expire(Time now);
  /// Gives up: answers everyone still queued `unavailable`, everyone under way `unknown`. The lane
  /// takes no more tips: its numbers may still be written by what is under way.
  void abandon();
  /// The traceIds whose statement is under way.
  [[nodiscard]] std::vector<TraceId> underWay() const;

  /// Answers since the last call.
  std::vector<TipAnswer> takeAnswers() { return std::exchange(answers_, {}); }
  /// Tips committed since the last call, in number order without holes.
  std::vector<NumberedTip> takeCommitted() { return std::exchange(committed_, {}); }

 private:
  enum class State { idle, inserting, lookingUp, probing, givenUp };

  struct Waiting {
    Ticket ticket;
    Tip tip;
    Time since;
  };
  /// A client whose traceId stands in the batch already.
  struct Follower {
    Ticket ticket;
    Tip tip;
    std::size_t leader;
  };

  /// What a repeat is compared with and answered from.
  struct Known {
    TipContent content;
    TipId id;
    Time acceptedAt;
  };
  template <class T>
  using ByTraceId = boost::unordered_flat_map<TraceId, T, std::hash<TraceId>>;

  [[nodiscard]] bool isUnderWay(const TraceId& traceId) const;
  void formBatch(Time now);
  void commitBatch();
  void answer(Ticket ticket, TipOutcome outcome, TipId id = {}, Time acceptedAt = {});
  void giveUpBatch(TipOutcome outcome);
  void answerFrom(Ticket ticket, const Tip& asked, const Known& truth);
  static Known knownOf(const NumberedTip& tip) {
    return {contentOf(tip.tip), tip.id, tip.acceptedAt};
  }
  void remember(const NumberedTip& tip);
  void renumber();

  LaneId id_;
  LaneLimits limits_;
  State state_ = State::idle;
  std::int64_t nextSeq_ = 1;
  Time lastAccepted_{};
  int unexplained_ = 0;
  bool lostOnce_ = false;  // an earlier try of this batch may still commit

  std::deque<Waiting> queue_;
  // The batch under way; tickets_[i] waits for batch_[i] (0: already answered), since_[i] since
  // when.
  std::vector<NumberedTip> batch_;
  std::vector<Ticket> tickets_;
  std::vector<Time> since_;
  std::vector<Follower> followers_;

  ByTraceId<Known> recent_;
  std::deque<TraceId> recentOrder_;
  ByTraceId<std::size_t> places_;  // formBatch's own; kept for its memory

  std::vector<TipAnswer> answers_;
  std::vector<NumberedTip> committed_;
};

}  // namespace tipflow::audience
