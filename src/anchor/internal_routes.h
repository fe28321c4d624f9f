// What anchor answers other nodes: rooms and their anchors, kicks and mutes; and chat it keeps for
// them. Read from DB1, not from memory: whoever asks has heard of a change that this node may not
// have taken up yet.
#pragma once

#include "anchor/client.h"
#include "platform/db/database.h"
#include "platform/http/router.h"

namespace tipflow::anchor {

class InternalRoutes {
 public:
  InternalRoutes(db::Database& db1, ChatArchive& chat, const Clock& clock)
      : db1_(db1), chat_(chat), clock_(clock) {}

  void addTo(http::Router& router);

 private:
  http::Task<http::ResponsePtr> cards(http::Call& call);
  http::Task<http::ResponsePtr> restraints(http::Call& call);
  http::Task<http::ResponsePtr> keepChat(http::Call& call);

  db::Database& db1_;
  ChatArchive& chat_;
  const Clock& clock_;
};

}  // namespace tipflow::anchor
