// What travels over the bus about rooms, read and written (api/events.md). What cannot be read is
// left out as a whole: a message of a newer release must not stop this one.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "room/model.h"

namespace tipflow::room::news {

std::optional<RoomTips> readTips(std::string_view message);
std::optional<RoomChats> readChats(std::string_view message);
std::optional<Presence> readPresence(std::string_view message);
std::optional<Moderation> readModeration(std::string_view message);

std::string write(const RoomChats& chats);
std::string write(const Presence& presence);

}  // namespace tipflow::room::news
