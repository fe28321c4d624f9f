// Where this node's log lines and spans go: into the record store of its own console role, or to
// that of another node; spans also to a collector of others, when one is configured.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "console/record_intake.h"
#include "console/record_store.h"
#include "console/records.h"
#include "platform/config.h"
#include "platform/metrics.h"
#include "platform/shipper.h"

namespace tipflow::app {

/// Who sends, and how it proves that it is a node of the cluster.
struct RecordSender {
  std::string node;
  std::string process;  ///< new for each process
  std::string clusterKey;
};

class RecordKeeping {
 public:
  /// `keeps`: whether this node has the role console. Throws ConfigError for URLs that cannot be
  /// used.
  RecordKeeping(const Config& config, bool keeps, RecordSender sender, const Clock& clock,
                Metrics& metrics);
  ~RecordKeeping();
  RecordKeeping(const RecordKeeping&) = delete;
  RecordKeeping& operator=(const RecordKeeping&) = delete;

  void addRoutes(http::Router& router);
  /// From now on, once the log runs. Throws when the store's directory cannot be used.
  void start();
  /// Brings what waits where it belongs, for at most `limit`.
  void stop(Duration limit);

 private:
  void shipTo(RecordSink& sink, const ShipperLimits& limits, const char* name);

  const Config& config_;
  Metrics& metrics_;
  std::unique_ptr<console::RecordStore> store_;
  std::unique_ptr<console::RecordIntake> intake_;
  std::unique_ptr<console::Records> records_;
  std::unique_ptr<RecordSink> remote_;
  std::unique_ptr<RecordSink> collector_;
  std::vector<std::unique_ptr<Shipper>> shippers_;
};

}  // namespace tipflow::app
