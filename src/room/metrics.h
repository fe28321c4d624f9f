// What a room node counts. Never by room: there are too many.
#pragma once

#include <map>

#include "base/result.h"
#include "platform/metrics.h"

namespace tipflow::room {

class RoomMetrics {
 public:
  explicit RoomMetrics(Metrics& metrics);

  prometheus::Gauge& connections;
  prometheus::Gauge& rooms;
  prometheus::Counter& opened;
  prometheus::Counter& frames;
  prometheus::Counter& deliveries;
  prometheus::Counter& slow;
  prometheus::Counter& tips;
  prometheus::Counter& chats;
  prometheus::Counter& chatsLost;
  prometheus::Histogram& tipSeconds;

  void refused(ErrorCode code) { count(refused_, code); }
  void chatRefused(ErrorCode code) { count(chatsRefused_, code); }

 private:
  using ByCode = std::map<ErrorCode, prometheus::Counter*>;
  static void count(const ByCode& counters, ErrorCode code);

  ByCode refused_;
  ByCode chatsRefused_;
};

}  // namespace tipflow::room
