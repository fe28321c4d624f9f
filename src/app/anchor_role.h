// The parts of the role anchor, put together.
#pragma once

#include <memory>

#include "anchor/internal_routes.h"
#include "anchor/moderation.h"
#include "anchor/service.h"
#include "anchor/statistics.h"
#include "app/clients.h"
#include "app/ground.h"
#include "platform/schedule/scheduler.h"

namespace tipflow::app {

class AnchorRole {
 public:
  explicit AnchorRole(Ground& ground)
      : ground_(ground), directory_(ground.db1, ground.bus, ground.clock) {}

  void build(const Clients& clients, Accounts& accounts);
  /// Reads all rooms into memory. Throws db::Error.
  void start() { directory_.load(); }
  [[nodiscard]] anchor::Directory& directory() { return directory_; }
  [[nodiscard]] anchor::ChatArchive& chat() { return *moderation_; }
  /// For the scheduler of DB1.
  [[nodiscard]] std::vector<schedule::JobSpec> jobs();

 private:
  Ground& ground_;
  anchor::Directory directory_;
  std::unique_ptr<anchor::Service> service_;
  std::unique_ptr<anchor::Moderation> moderation_;
  std::unique_ptr<anchor::Statistics> statistics_;
  std::unique_ptr<anchor::InternalRoutes> internal_;
};

}  // namespace tipflow::app
