// All rooms, their anchors, and who may not enter or speak where, in memory: what other roles ask.
// Every node with this role has a copy; the bus tells of changes made elsewhere.
#pragma once

#include <drogon/utils/coroutine.h>

#include <memory>

#include "anchor/client.h"
#include "platform/bus.h"
#include "platform/db/database.h"
#include "platform/metrics.h"

namespace tipflow::anchor {

class Directory final : public AnchorClient {
 public:
  Directory(db::Database& db1, Bus& bus, const Clock& clock);
  ~Directory() override;
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  /// Reads everything; before the node takes requests. Throws db::Error.
  void load();
  /// Before it is used: look-ups of rooms.
  void measure(CacheCounters counters);

  [[nodiscard]] std::optional<RoomCard> room(RoomId id) const override;
  [[nodiscard]] std::optional<AnchorCard> anchor(AnchorId id) const override;
  [[nodiscard]] std::vector<RoomCard> liveRooms() const override;
  [[nodiscard]] std::optional<Time> kickedUntil(RoomId room, ViewerId viewer) const override;
  [[nodiscard]] std::optional<Time> mutedUntil(RoomId room, ViewerId viewer) const override;
  [[nodiscard]] std::vector<std::string> roomTags(RoomId room) const override;
  using AnchorClient::lookAgain;
  drogon::Task<> lookAgain(RoomId room) override;

  /// The room changed: reads it again, and tells the others. To be called after the commit.
  drogon::Task<> changed(RoomId id);
  /// A kick or mute of the viewer changed: as `changed`.
  drogon::Task<> restrained(RoomId room, ViewerId viewer);

 private:
  struct Memory;

  Bus& bus_;
  // Lives as long as a read is under way, for which nobody waits.
  std::shared_ptr<Memory> memory_;
};

}  // namespace tipflow::anchor
