// Tells the other nodes the running sums of this process's lanes, and counts those of lanes that
// are finished. What is told is in session_sums.h.
#pragma once

#include <trantor/net/EventLoop.h>

#include <atomic>
#include <string>

#include "anchor/client.h"
#include "audience/session_sums.h"
#include "platform/bus.h"
#include "platform/db/database.h"

namespace tipflow::audience {

/// Keeps `sums` up to date with what other nodes tell.
void listenTo(Bus& bus, SessionSums& sums);

class SumReporter {
 public:
  struct Identity {
    std::string node;
    std::string process;
  };
  /// `anchors` may be null: no session is known to be open, nothing is counted.
  SumReporter(db::Database& db1, SessionSums& sums, Bus& bus, const anchor::AnchorClient* anchors,
              Identity identity)
      : db1_(db1), sums_(sums), bus_(bus), anchors_(anchors), identity_(std::move(identity)) {}

  /// From now on, on `loop`.
  void start(trantor::EventLoop& loop);
  /// Tells everything once more: before this node leaves.
  void tellAll();

 private:
  void tick();
  /// Looks whether lanes are finished that were not before; counts them all if so.
  drogon::Task<> lookAtLanes();
  drogon::Task<> count(std::vector<LaneId> alive, std::int64_t round);

  db::Database& db1_;
  SessionSums& sums_;
  Bus& bus_;
  const anchor::AnchorClient* anchors_;
  Identity identity_;
  std::atomic<bool> missed_{false};  // what was told may not have been heard
  int ticks_ = 0;                    // the loop's own, as is what follows
  bool looking_ = false;
};

}  // namespace tipflow::audience
