#include "app/replica_reads.h"

namespace tipflow::app {
namespace {

std::unique_ptr<db::Replicas> replicasOf(const Config& config, const std::string& urls,
                                         db::Database& primary, Metrics& metrics) {
  const auto parsed = db::replicaUrls(urls);
  if (parsed.empty()) return nullptr;
  const db::ReplicaLimits limits{Duration{config.dbReplicaLagMs * kUsPerMs},
                                 static_cast<int>(config.dbThreads)};
  auto replicas = std::make_unique<db::Replicas>(primary, parsed, limits, metrics);
  primary.readAsideFrom(*replicas);
  return replicas;
}

}  // namespace

ReplicaReads::ReplicaReads(const Config& config, db::Database& db1, db::Database& db2,
                           Metrics& metrics)
    : db1_(replicasOf(config, config.db1ReplicaUrls, db1, metrics)),
      db2_(replicasOf(config, config.db2ReplicaUrls, db2, metrics)) {}

void ReplicaReads::start(bool usesDb1, bool usesDb2) {
  if (db1_ && usesDb1) db1_->start();
  if (db2_ && usesDb2) db2_->start();
}

void ReplicaReads::stop() {
  if (db1_) db1_->stop();
  if (db2_) db2_->stop();
}

}  // namespace tipflow::app
