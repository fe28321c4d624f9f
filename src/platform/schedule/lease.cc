#include "platform/schedule/lease.h"

#include <algorithm>

namespace tipflow::schedule {

std::optional<LeaseRow> taken(const std::optional<LeaseRow>& row, const std::string& holder,
                              Time now, Duration length) {
  if (!row) return LeaseRow{holder, 1, now + length};
  // Its own it may take again: the answer to an earlier try was lost. The epoch grows all the same,
  // since that earlier try may have been by a part of the holder that still believes in it.
  if (row->holder != holder && row->until > now) return std::nullopt;
  return LeaseRow{holder, row->epoch + 1, now + length};
}

std::optional<LeaseRow> renewed(const std::optional<LeaseRow>& row, Epoch epoch, Time now,
                                Duration length) {
  if (!mayWrite(row, epoch)) return std::nullopt;
  // Run out but taken by nobody: it may go on.
  return LeaseRow{row->holder, epoch, std::max(row->until, now + length)};
}

bool mayWrite(const std::optional<LeaseRow>& row, Epoch epoch) {
  return row.has_value() && row->epoch == epoch;
}

bool Lease::held(Time now) const {
  // A clock that went back behind the moment of asking says nothing about how much is left.
  return mine_ && now >= since_ && now < until_;
}

Lease::Action Lease::next(Time now) {
  // A clock that went back must not stop the work for the length of its jump.
  notBefore_ = std::min(notBefore_, now + limits_.length);
  if (now < notBefore_) return WaitUntil{notBefore_};
  if (!held(now)) {
    mine_ = false;
    return Acquire{};
  }
  const Time due = until_ - limits_.length * 2 / 3;
  if (now >= due) return Renew{epoch_};
  return WaitUntil{due};
}

void Lease::onAcquired(Epoch epoch, Time asked) {
  epoch_ = epoch;
  mine_ = true;
  onRenewed(asked);
}

void Lease::onRenewed(Time asked) {
  since_ = asked;
  until_ = asked + limits_.length;
  notBefore_ = {};
}

void Lease::onLost(Time now) {
  mine_ = false;
  notBefore_ = now + limits_.retry;
}

void Lease::onFailed(Time now) { notBefore_ = now + std::min(limits_.retry, limits_.length / 6); }

}  // namespace tipflow::schedule
