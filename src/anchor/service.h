// The use cases of anchors and their rooms: who they are, opening, closing, banning, sessions.
#pragma once

#include "anchor/directory.h"
#include "anchor/model.h"
#include "anchor/store.h"
#include "audience/client.h"
#include "finance/client.h"
#include "platform/db/database.h"
#include "platform/http/call.h"
#include "platform/passwords.h"
#include "platform/sign_in.h"
#include "room/client.h"

namespace tipflow::anchor {

/// Whom the role asks; null: away, and then what only they know is not shown.
struct Neighbours {
  finance::FinanceClient* finance = nullptr;
  audience::AudienceClient* audience = nullptr;
  const room::LiveRooms* live = nullptr;
};

class Service final : public AccountDirectory {
 public:
  Service(db::Database& db1, Directory& directory, Passwords& passwords, const Clock& clock,
          Neighbours neighbours)
      : db1_(db1),
        directory_(directory),
        passwords_(passwords),
        clock_(clock),
        finance_(neighbours.finance),
        audience_(neighbours.audience),
        live_(neighbours.live) {}

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
  /// Ends the session that runs, if one does. A room that is banned gets the new reason and end.
  drogon::Task<Result<Room>> banRoom(RoomId id, BanRequest request);
  /// The room is off; one that is not banned stays as it is.
  drogon::Task<Result<Room>> liftBan(RoomId id);
  drogon::Task<Result<http::Page<RoomSession>>> sessions(RoomId id, std::int64_t before, int limit);

  [[nodiscard]] Directory& directory() { return directory_; }

 private:
  drogon::Task<std::optional<BasisPoints>> rateOf(AnchorId id);
  /// As it is now: a ban may be over, a session has sums and viewers.
  [[nodiscard]] Room asNow(Room room) const;
  drogon::Task<RoomSession> withSums(store::StoredSession stored);
  /// How many watched the session of a room that is about to end.
  [[nodiscard]] std::optional<store::Attendance> attendance(RoomId id) const;

  db::Database& db1_;
  Directory& directory_;
  Passwords& passwords_;
  const Clock& clock_;
  finance::FinanceClient* finance_;
  audience::AudienceClient* audience_;
  const room::LiveRooms* live_;
};

}  // namespace tipflow::anchor
