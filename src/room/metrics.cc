#include "room/metrics.h"

#include <initializer_list>

namespace tipflow::room {
namespace {

// All from the start, so that a rate over them misses no first one.
std::map<ErrorCode, prometheus::Counter*> byCode(Metrics& metrics, const char* name,
                                                 const char* help,
                                                 std::initializer_list<ErrorCode> codes) {
  std::map<ErrorCode, prometheus::Counter*> counters;
  for (const auto code : codes) {
    counters[code] = &metrics.counter(name, help, {{"code", std::string(info(code).code)}});
  }
  return counters;
}

}  // namespace

RoomMetrics::RoomMetrics(Metrics& metrics)
    : connections(metrics.gauge("tipflow_room_connections", "Open connections of viewers.")),
      rooms(metrics.gauge("tipflow_room_rooms", "Rooms with viewers here, or until lately.")),
      opened(metrics.counter("tipflow_room_connections_total", "Connections that were opened.")),
      frames(metrics.counter("tipflow_room_frames_total", "Frames made, one a room and tick.")),
      deliveries(metrics.counter("tipflow_room_deliveries_total", "Frames handed to connections.")),
      slow(metrics.counter("tipflow_room_slow_total", "Connections closed for not reading.")),
      tips(metrics.counter("tipflow_room_tips_total", "Tips shown, once a room.")),
      chats(metrics.counter("tipflow_room_chats_total", "Chat messages taken.")),
      chatsLost(metrics.counter("tipflow_room_chats_lost_total",
                                "Chat messages that could not be kept for operators.")),
      tipSeconds(metrics.histogram("tipflow_room_tip_seconds",
                                   "Time from a tip's acceptance until its room's hall has it.",
                                   latencyBounds())) {
  using enum ErrorCode;
  refused_ = byCode(metrics, "tipflow_room_refused_total", "Connections refused, by code.",
                    {invalid_request, room_not_found, room_not_live, room_banned, viewer_kicked,
                     overloaded, unavailable, role_unavailable});
  chatsRefused_ = byCode(
      metrics, "tipflow_room_chats_refused_total", "Frames of clients refused, by code.",
      {invalid_request, malformed_json, forbidden, viewer_muted, too_many_requests, chat_refused});
}

void RoomMetrics::count(const ByCode& counters, ErrorCode code) {
  if (const auto found = counters.find(code); found != counters.end()) found->second->Increment();
}

}  // namespace tipflow::room
