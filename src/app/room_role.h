// The parts of the role room, put together. Which other roles there are, it learns from Clients.
#pragma once

#include <memory>

#include "app/clients.h"
#include "app/ground.h"
#include "platform/http/websocket.h"
#include "room/gateway.h"

namespace tipflow::app {

class RoomRole {
 public:
  RoomRole(Ground& ground, room::ReportedRooms& live) : ground_(ground), live_(live) {}

  void build(const Clients& clients);
  /// Hands the WebSocket to Drogon, and starts to listen; before Drogon runs.
  void start();
  /// Sends all viewers elsewhere, for at most `limit`.
  void drain(Duration limit) { gateway_->drain(limit); }

 private:
  Ground& ground_;
  room::ReportedRooms& live_;
  std::unique_ptr<room::RoomMetrics> metrics_;
  std::unique_ptr<room::ListedWords> words_;
  std::unique_ptr<room::Halls> halls_;
  std::unique_ptr<room::Gateway> gateway_;
  std::unique_ptr<http::WebSockets> sockets_;
};

}  // namespace tipflow::app
