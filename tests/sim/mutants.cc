#include "mutants.h"

#include <array>

namespace tipflow::sim {
namespace {

constexpr std::array kMutants{
    MutantInfo{Mutant::acknowledgeBeforeCommit, "acknowledge-before-commit",
               "the client is told `created` when its statement is sent", "I1", 50},
    MutantInfo{Mutant::lostTakenForCommitted, "lost-taken-for-committed",
               "a lost connection counts as a commit, without a probe", "I1,I5", 100},
    MutantInfo{Mutant::lostTakenForRolledBack, "lost-taken-for-rolled-back",
               "a lost connection counts as a rollback: told `unavailable`, numbers used again",
               "I2,I3", 200},
    MutantInfo{Mutant::insertIgnoresDuplicates, "insert-ignores-duplicates",
               "INSERT IGNORE: rows that are there already are left out in silence", "I1,I5", 50},
    MutantInfo{Mutant::duplicatesNotCompared, "duplicates-not-compared",
               "a repeated traceId is answered `exists` whatever it holds", "I1,I3", 50},
    MutantInfo{Mutant::existsToldAsCreated, "exists-told-as-created",
               "a repeat is answered as if it had been the first", "I3", 50},
    MutantInfo{Mutant::cursorOutsideTransaction, "cursor-outside-transaction",
               "the cursor moves in a transaction of its own, before the ledger", "I4,I5", 100},
    MutantInfo{Mutant::cursorWithoutGuard, "cursor-without-guard",
               "the cursor moves from wherever it is; ledger rows that stand are skipped",
               "I4,I5,I6,I8", 500},
    MutantInfo{Mutant::autoIncrementCursor, "auto-increment-cursor",
               "settlement follows AUTO_INCREMENT ids, in which late commits come early", "I4,I5",
               100},
    MutantInfo{Mutant::rateAtSettlement, "rate-at-settlement",
               "a tip is shared by the rate in force when it is settled", "I7", 100},
    MutantInfo{Mutant::rateWithoutNotice, "rate-without-notice",
               "a rate starts at once, or in the past", "I7", 100},
    MutantInfo{Mutant::nothingHeldBack, "nothing-held-back",
               "tips ahead of DB2's clock are settled at once", "I7", 500},
    MutantInfo{Mutant::pusherTrustsMemory, "pusher-trusts-memory",
               "whatever finance answers, the pusher goes on behind what it sent", "I4,liveness",
               100},
    MutantInfo{Mutant::adoptedLaneForgotten, "adopted-lane-forgotten",
               "an adopted lane is settled once and never looked at again", "liveness", 500},
    MutantInfo{Mutant::hourNotAdded, "hour-not-added",
               "of a batch's hourly sums the last one is left out", "I6", 50},
    MutantInfo{Mutant::creditNotAdded, "credit-not-added",
               "of a batch's anchors the last one gets no credit", "I6,I8", 50},
    MutantInfo{Mutant::creditOverwritten, "credit-overwritten",
               "accounts are read, added up in memory and written back", "I6,I8,I9", 200},
    MutantInfo{Mutant::withdrawalUnguarded, "withdrawal-unguarded",
               "the balance is read, then reserved by an UPDATE without a condition", "I9", 300},
    MutantInfo{Mutant::payoutUnderNewKey, "payout-under-new-key",
               "each try of a payout has a key of its own", "I10", 200},
    MutantInfo{Mutant::payBeforeCommit, "pay-before-commit",
               "the provider is called before the reservation is committed", "I10", 50},
    MutantInfo{Mutant::finishUnguarded, "finish-unguarded",
               "a withdrawal is finished whatever state it is in", "I9,I10", 300},
    MutantInfo{Mutant::timeoutTakenForRejected, "timeout-taken-for-rejected",
               "a provider that is silent counts as a refusal", "I10", 200},
    MutantInfo{Mutant::withdrawalTraceNotUnique, "withdrawal-trace-not-unique",
               "two withdrawals may have one traceId", "I10", 100},
    MutantInfo{Mutant::noFencing, "no-fencing",
               "a job writes its result without a look at the lease", "I11", 500},
    MutantInfo{Mutant::fencingOutsideTransaction, "fencing-outside-transaction",
               "the epoch is checked, then the result written in another transaction", "I11", 500},
};

}  // namespace

std::span<const MutantInfo> mutants() { return kMutants; }

const MutantInfo* mutantNamed(std::string_view name) {
  for (const auto& info : kMutants) {
    if (info.name == name) return &info;
  }
  return nullptr;
}

}  // namespace tipflow::sim
