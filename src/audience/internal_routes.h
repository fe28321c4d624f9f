// What audience answers other nodes: sums, boards, tags, who viewers are.
#pragma once

#include "audience/client.h"
#include "platform/http/router.h"

namespace tipflow::audience {

class InternalRoutes {
 public:
  /// `audience`: this node's own.
  explicit InternalRoutes(AudienceClient& audience) : audience_(audience) {}

  void addTo(http::Router& router);

 private:
  http::Task<http::ResponsePtr> laneSums(http::Call& call);
  http::Task<http::ResponsePtr> sessionSum(http::Call& call);
  http::Task<http::ResponsePtr> sessionTop(http::Call& call);
  http::Task<http::ResponsePtr> tagUse(http::Call& call);
  http::Task<http::ResponsePtr> viewerFacts(http::Call& call);

  AudienceClient& audience_;
};

}  // namespace tipflow::audience
