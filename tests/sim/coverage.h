// What a run met. A sweep that never met one of these has not tested it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace tipflow::sim {

enum class Met : std::size_t {
  tipCreated,
  tipExists,
  tipConflict,
  tipRefused,
  tipUnavailable,
  tipUnknown,
  tipOverloaded,
  repeatWhileWaiting,
  unknownWhileAway,
  insertDuplicate,
  insertRolledBack,
  insertRefused,
  insertLost,
  probeFound,
  probeEmpty,
  laneGivenUp,
  laneOpened,
  lockWait,
  lockTimeout,
  deadlock,
  connectionLost,
  connectFailed,
  statementTimedOut,
  lateCommit,
  commitOfTheDead,
  databaseCrash,
  committedInCrash,
  lostInCrash,
  audienceCrash,
  financeCrash,
  freeze,
  clockJump,
  messageDropped,
  messageDuplicated,
  messageLate,
  pushApplied,
  pushConflict,
  pushHeldBack,
  pushFailed,
  pushUnknown,
  pusherLoaded,
  batchOfMany,
  laneAdopted,
  adoptersAtOnce,
  lateTipFound,
  rateChanged,
  rateMidTraffic,
  withdrawalPaid,
  withdrawalRejected,
  withdrawalInsufficient,
  withdrawalRepeated,
  withdrawalConflict,
  withdrawalAwaited,
  reserveLost,
  payoutTimedOut,
  payoutTwice,
  pendingFinished,
  leaseTaken,
  leaseTakenOver,
  leaseRenewed,
  leaseFencedOff,
  auditMidTraffic,
  sameSeedTwice,
  count_
};
inline constexpr std::size_t kMetKinds = static_cast<std::size_t>(Met::count_);

/// For people: `unknown outcomes of tips`.
const char* nameOf(Met met);

struct Coverage {
  std::array<std::uint64_t, kMetKinds> times{};
  void add(Met met) { ++times[static_cast<std::size_t>(met)]; }
  void add(const Coverage& other) {
    for (std::size_t i = 0; i < kMetKinds; ++i) times[i] += other.times[i];
  }
  [[nodiscard]] std::uint64_t of(Met met) const { return times[static_cast<std::size_t>(met)]; }
};

}  // namespace tipflow::sim
