// Planted faults: each breaks one thing the design rests on, and must be caught by the invariant it
// is planted against. They live in the simulator's mirrors of the drivers, never in the product.
#pragma once

#include <span>
#include <string_view>

namespace tipflow::sim {

enum class Mutant {
  none,
  acknowledgeBeforeCommit,
  lostTakenForCommitted,
  lostTakenForRolledBack,
  insertIgnoresDuplicates,
  duplicatesNotCompared,
  existsToldAsCreated,
  cursorOutsideTransaction,
  cursorWithoutGuard,
  autoIncrementCursor,
  rateAtSettlement,
  rateWithoutNotice,
  nothingHeldBack,
  pusherTrustsMemory,
  adoptedLaneForgotten,
  hourNotAdded,
  creditNotAdded,
  creditOverwritten,
  withdrawalUnguarded,
  payoutUnderNewKey,
  payBeforeCommit,
  finishUnguarded,
  timeoutTakenForRejected,
  withdrawalTraceNotUnique,
  noFencing,
  fencingOutsideTransaction,
};

struct MutantInfo {
  Mutant mutant;
  std::string_view name;
  std::string_view what;
  std::string_view caughtBy;  ///< invariants of which one must be what is reported, by commas
  int seeds;                  ///< must be caught within so many
};

/// All but `none`.
std::span<const MutantInfo> mutants();
const MutantInfo* mutantNamed(std::string_view name);

}  // namespace tipflow::sim
