// The replicas that a node may read, as it is configured.
#pragma once

#include <memory>

#include "platform/config.h"
#include "platform/db/replicas.h"

namespace tipflow::app {

class ReplicaReads {
 public:
  /// From now on the databases' `readAside` goes to them.
  ReplicaReads(const Config& config, db::Database& db1, db::Database& db2, Metrics& metrics);

  /// Needs the migrated databases that this node uses; the other is not looked at.
  void start(bool usesDb1, bool usesDb2);
  void stop();
  /// nullptr where none are configured.
  [[nodiscard]] const db::Replicas* ofDb1() const { return db1_.get(); }
  [[nodiscard]] const db::Replicas* ofDb2() const { return db2_.get(); }

 private:
  std::unique_ptr<db::Replicas> db1_;
  std::unique_ptr<db::Replicas> db2_;
};

}  // namespace tipflow::app
