// The parts of the role audience, put together: viewers, tips, lanes and their way to finance.
#pragma once

#include <memory>
#include <optional>

#include "app/clients.h"
#include "app/ground.h"
#include "audience/internal_routes.h"
#include "audience/portraits.h"
#include "audience/room_events.h"
#include "audience/session_boards.h"
#include "audience/sum_reporter.h"
#include "audience/sync_driver.h"
#include "audience/tips.h"
#include "audience/top_viewers.h"
#include "audience/viewers.h"
#include "platform/conditions.h"

namespace tipflow::app {

class AudienceRole {
 public:
  explicit AudienceRole(Ground& ground) : ground_(ground), directory_(ground.db1, ground.bus) {}

  void build(const Clients& clients, Accounts& accounts);
  /// Opens the lanes and the way to finance. Needs the migrated database.
  void start();
  /// Keeps the sums of open sessions, with what other nodes count; on the main loop, once it runs.
  void sumUpOpenSessions();
  /// No more tips are taken; those taken are committed and answered.
  void stopLanes();
  /// Pushes what is left, for at most `limit`.
  void stopSync(Duration limit);

  [[nodiscard]] audience::TipService& tips() { return *tips_; }
  /// For the scheduler of DB1.
  [[nodiscard]] std::vector<schedule::JobSpec> jobs();
  [[nodiscard]] http::Probe lanesProbe();
  [[nodiscard]] std::optional<SyncSight> sync() const;

 private:
  Ground& ground_;
  Clients clients_;
  audience::ViewerDirectory directory_;
  audience::SessionSums sums_;
  std::unique_ptr<audience::SumReporter> sumReporter_;
  audience::LeaderboardPolicy policy_ =
      fromWord<audience::LeaderboardPolicy>(ground_.config.leaderboard)
          .value_or(audience::LeaderboardPolicy::operators);
  audience::SessionBoards boards_{ground_.db1, directory_, policy_, ground_.clock};
  audience::TipTraces traces_{ground_.clock, ground_.random};
  audience::Lanes lanes_;
  std::unique_ptr<audience::SyncDriver> sync_;
  std::unique_ptr<audience::ViewerService> viewers_;
  std::unique_ptr<audience::TipService> tips_;
  std::unique_ptr<audience::TopViewers> topViewers_;
  std::unique_ptr<audience::Portraits> portraits_;
  std::unique_ptr<audience::InternalRoutes> internal_;
  std::unique_ptr<audience::RoomEvents> roomEvents_;
};

}  // namespace tipflow::app
