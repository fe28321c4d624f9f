// The anchor role as nodes without it see it: all rooms, anchors, kicks and mutes in memory, read
// from nodes that have the role, kept up to date by the bus and read again now and then. While the
// role is away the last known state serves; an answer that failed never replaces it.
#pragma once

#include <trantor/net/EventLoop.h>

#include <atomic>

#include "anchor/card_book.h"
#include "anchor/restraint_book.h"
#include "platform/bus.h"
#include "platform/metrics.h"
#include "platform/rpc/caller.h"

namespace tipflow::anchor {

class RemoteAnchors final : public AnchorClient {
 public:
  RemoteAnchors(rpc::Caller& caller, const Clock& clock) : caller_(caller), clock_(clock) {}

  /// Before it is used: look-ups of rooms.
  void measure(CacheCounters counters) { counters_ = counters; }
  /// Takes up news; before `start`.
  void listen(Bus& bus);
  /// Reads everything on `loop`, and keeps it up to date from now on.
  void start(trantor::EventLoop& loop);

  /// Whether everything was read at least once.
  [[nodiscard]] bool roomsKnown() const override { return roomsKnown_.load(); }
  [[nodiscard]] std::optional<RoomCard> room(RoomId id) const override;
  [[nodiscard]] std::optional<AnchorCard> anchor(AnchorId id) const override;
  [[nodiscard]] std::vector<RoomCard> liveRooms() const override;
  [[nodiscard]] std::optional<Time> kickedUntil(RoomId room, ViewerId viewer) const override;
  [[nodiscard]] std::optional<Time> mutedUntil(RoomId room, ViewerId viewer) const override;
  [[nodiscard]] std::vector<std::string> roomTags(RoomId room) const override;
  drogon::Task<> lookAgain(RoomId room) override;
  drogon::Task<> lookAgain(AnchorId anchor) override;

 private:
  void heardOfRoom(RoomId room);
  void heardOfRestraint(std::string_view message);
  void readAllIfDue();
  drogon::Task<> readAll();
  drogon::Task<> readCards();
  drogon::Task<> readRestraints();
  drogon::Task<> readOne(std::string query);
  void sayAway(const db::Error& error);

  rpc::Caller& caller_;
  const Clock& clock_;
  std::atomic<trantor::EventLoop*> loop_{nullptr};
  CardBook cards_;
  RestraintBook restraints_;
  std::atomic<std::uint64_t> restraintNews_{0};
  std::atomic<bool> roomsKnown_{false};
  std::atomic<bool> due_{true};  // something may have been missed
  // The loop's own:
  Time readAt_{};
  Time triedAt_{};
  bool reading_ = false;
  bool away_ = false;
  CacheCounters counters_;
};

/// Keeps chat at nodes with the role. A line whose answer is lost is not sent again: it may be
/// kept.
class RemoteChatArchive final : public ChatArchive {
 public:
  explicit RemoteChatArchive(rpc::Caller& caller) : caller_(caller) {}
  drogon::Task<> keep(std::vector<ChatLine> lines) override;

 private:
  rpc::Caller& caller_;
};

}  // namespace tipflow::anchor
