// The anchor role's use cases, and the in-memory directory that other roles ask.
#pragma once

#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "anchor/model.h"
#include "anchor/store.h"
#include "audience/client.h"
#include "finance/client.h"
#include "platform/bus.h"
#include "platform/db/database.h"
#include "platform/http/call.h"
#include "platform/metrics.h"
#include "platform/passwords.h"
#include "platform/sign_in.h"

namespace tipflow::anchor {

/// All rooms and their anchors in memory; each is read again when it changed here.
class Directory final : public AnchorClient {
 public:
  Directory(db::Database& db1, Bus& bus);

  /// Reads everything; once, before the node takes requests. Throws db::Error.
  void load();
  /// Before it is used: look-ups of rooms.
  void measure(CacheCounters counters) { counters_ = counters; }
  [[nodiscard]] std::optional<RoomCard> room(RoomId id) const override;
  [[nodiscard]] std::optional<AnchorCard> anchor(AnchorId id) const override;
  [[nodiscard]] std::vector<RoomCard> liveRooms() const override;
  /// The room changed: read it again, and tell the others. To be called after the commit.
  drogon::Task<> changed(RoomId id);

 private:
  void keep(const std::vector<store::Cards>& cards);

  db::Database& db1_;
  Bus& bus_;
  mutable std::shared_mutex mutex_;
  std::unordered_map<RoomId, RoomCard> rooms_;
  std::unordered_map<AnchorId, AnchorCard> anchors_;
  CacheCounters counters_;
};

class Service final : public AccountDirectory {
 public:
  /// `finance` and `audience` may be null: those roles are away.
  Service(db::Database& db1, Directory& directory, Passwords& passwords, const Clock& clock,
          finance::FinanceClient* finance, audience::AudienceClient* audience)
      : db1_(db1),
        directory_(directory),
        passwords_(passwords),
        clock_(clock),
        finance_(finance),
        audience_(audience) {}

  drogon::Task<Result<Anchor>> registerAnchor(RegisterAnchor request);
  drogon::Task<Result<Anchor>> changeAnchor(AnchorId id, ChangeAnchor change);
  drogon::Task<Result<Anchor>> anchor(AnchorId id);
  drogon::Task<http::Page<Anchor>> anchors(std::optional<std::string> name, std::int64_t before,
                                           int limit);
  drogon::Task<std::optional<Account>> account(std::string name) override;

  drogon::Task<Result<Room>> room(RoomId id);
  drogon::Task<http::Page<Room>> rooms(store::RoomFilter filter, std::int64_t before, int limit);
  drogon::Task<Result<Room>> changeRoom(RoomId id, ChangeRoom change);
  drogon::Task<Result<Room>> openRoom(RoomId id);
  drogon::Task<Result<Room>> closeRoom(RoomId id);
  drogon::Task<Result<http::Page<RoomSession>>> sessions(RoomId id, std::int64_t before, int limit);

  [[nodiscard]] const Directory& directory() const { return directory_; }

 private:
  drogon::Task<std::optional<BasisPoints>> rateOf(AnchorId id);
  Room withLiveSum(Room room) const;

  db::Database& db1_;
  Directory& directory_;
  Passwords& passwords_;
  const Clock& clock_;
  finance::FinanceClient* finance_;
  audience::AudienceClient* audience_;
};

}  // namespace tipflow::anchor
