#include "load/tally.h"

namespace tipflow::load {

void Tally::add(const Tally& other) {
  sent += other.sent;
  dropped += other.dropped;
  created += other.created;
  exists += other.exists;
  conflicts += other.conflicts;
  rejected += other.rejected;
  unavailable += other.unavailable;
  unknown += other.unknown;
  refusals += other.refusals;
  broken += other.broken;
  timedOut += other.timedOut;
  serverErrors += other.serverErrors;
  resolved += other.resolved;
  doubtful += other.doubtful;
  for (const auto& [code, count] : other.rejections) rejections[code] += count;
  measured += other.measured;
  measuredRepeats += other.measuredRepeats;
  latency.merge(other.latency);
}

}  // namespace tipflow::load
