// What is seen of rooms and tags as a whole: the session under way, and which tags are in use.
#pragma once

#include "anchor/directory.h"
#include "anchor/model.h"
#include "anchor/rules.h"
#include "anchor/service.h"
#include "platform/http/call.h"

namespace tipflow::anchor {

class Statistics {
 public:
  Statistics(db::Database& db1, Directory& directory, Neighbours neighbours)
      : db1_(db1), directory_(directory), audience_(neighbours.audience), live_(neighbours.live) {}

  /// `asOperator`: with every name on the board.
  drogon::Task<Result<RoomStats>> stats(RoomId id, bool asOperator);
  /// Tags beyond `after` in byte order, that hold `part`.
  drogon::Task<http::Page<ShownTag>> tags(std::optional<std::string> part, std::string after,
                                          int limit);

 private:
  drogon::Task<> addSums(RoomStats& stats, RoomId id, bool asOperator);

  db::Database& db1_;
  Directory& directory_;
  audience::AudienceClient* audience_;
  const room::LiveRooms* live_;
};

}  // namespace tipflow::anchor
