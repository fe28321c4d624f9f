// The use cases of kicks, mutes and the chat that is kept.
#pragma once

#include "anchor/chat_store.h"
#include "anchor/directory.h"
#include "anchor/moderation_store.h"
#include "audience/client.h"
#include "platform/http/call.h"

namespace tipflow::anchor {

/// Who restrains somebody.
struct Moderator {
  PrincipalKind kind = PrincipalKind::anchor;
  std::int64_t id = 0;
};

class Moderation final : public ChatArchive {
 public:
  /// `audience` may be null: then nobody's name is shown, and no viewer is known not to exist.
  Moderation(db::Database& db1, Directory& directory, const Clock& clock,
             audience::AudienceClient* audience)
      : db1_(db1), directory_(directory), clock_(clock), audience_(audience) {}

  /// What changed, for the operators' log too.
  struct Change {
    std::optional<Restraint> before;  ///< nullopt: there was none that held
    std::optional<Restraint> after;
  };
  /// The viewer need not be in the room. One restraint of a kind gives way to the next.
  drogon::Task<Result<Change>> restrain(RestraintKind kind, Restraint wanted, Duration length);
  /// Frees the viewer; no change when there was nothing to free from.
  drogon::Task<Result<Change>> release(RestraintKind kind, RoomId room, ViewerId viewer);
  /// Those that hold.
  drogon::Task<Result<http::Page<Restraint>>> restraints(RestraintKind kind, RoomId room,
                                                         std::optional<store::RestraintPlace> after,
                                                         int limit);

  drogon::Task<> keep(std::vector<ChatLine> lines) override;
  drogon::Task<Result<http::Page<ShownChat>>> chats(store::ChatFilter filter,
                                                    std::optional<store::ChatPlace> after,
                                                    int limit);

 private:
  db::Database& db1_;
  Directory& directory_;
  const Clock& clock_;
  audience::AudienceClient* audience_;
};

}  // namespace tipflow::anchor
