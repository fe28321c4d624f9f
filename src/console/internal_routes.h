// What console answers other nodes: which networks are blocked, which settings were changed.
#pragma once

#include "platform/db/database.h"
#include "platform/http/router.h"

namespace tipflow::console {

class InternalRoutes {
 public:
  InternalRoutes(db::Database& db2, const Clock& clock) : db2_(db2), clock_(clock) {}

  void addTo(http::Router& router);

 private:
  http::Task<http::ResponsePtr> blocks(http::Call& call);
  http::Task<http::ResponsePtr> settings(http::Call& call);

  db::Database& db2_;
  const Clock& clock_;
};

}  // namespace tipflow::console
