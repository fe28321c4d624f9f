// What console answers other nodes: which networks are blocked, which settings were changed; and
// takes from them: what they watch.
#pragma once

#include "platform/condition_sink.h"
#include "platform/db/database.h"
#include "platform/http/router.h"

namespace tipflow::console {

class InternalRoutes {
 public:
  InternalRoutes(db::Database& db2, const Clock& clock, ConditionSink& conditions)
      : db2_(db2), clock_(clock), conditions_(conditions) {}

  void addTo(http::Router& router);

 private:
  http::Task<http::ResponsePtr> blocks(http::Call& call);
  http::Task<http::ResponsePtr> settings(http::Call& call);
  http::Task<http::ResponsePtr> conditions(http::Call& call);

  db::Database& db2_;
  const Clock& clock_;
  ConditionSink& conditions_;
};

}  // namespace tipflow::console
