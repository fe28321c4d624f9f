// HTTP of kicks, mutes, bans and the chat that is kept: translation in and out, nothing else.
#pragma once

#include "anchor/moderation.h"
#include "anchor/service.h"
#include "platform/http/router.h"

namespace tipflow::anchor {

void addModerationRoutes(http::Router& router, Service& rooms, Moderation& moderation);

}  // namespace tipflow::anchor
