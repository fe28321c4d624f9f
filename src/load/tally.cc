#include "load/tally.h"

namespace tipflow::load {

void Tally::add(const Tally& other) {
  sent += other.sent;
  late += other.late;
  dropped += other.dropped;
  created += other.created;
  exists += other.exists;
  conflicts += other.conflicts;
  rejected += other.rejected;
  unavailable += other.unavailable;
  unknown += other.unknown;
  refusals += other.refusals;
  broken += other.broken;
  stale += other.stale;
  timedOut += other.timedOut;
  serverErrors += other.serverErrors;
  resolved += other.resolved;
  doubtful += other.doubtful;
  for (const auto& [code, count] : other.rejections) rejections[code] += count;
  for (const auto& [status, count] : other.statuses) statuses[status] += count;
  measured += other.measured;
  measuredRepeats += other.measuredRepeats;
  latency.merge(other.latency);
  service.merge(other.service);
}

std::uint64_t Tally::errors() const {
  auto count = broken + timedOut;
  for (const auto& [status, answers] : statuses) {
    if (status >= 300) count += answers;
  }
  return count;
}

}  // namespace tipflow::load
