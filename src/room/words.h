// The JSON of a room's events. Pure: strings in, strings out.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "anchor/client.h"
#include "room/model.h"

namespace tipflow::room {
struct Combo;
struct Stats;
}  // namespace tipflow::room

namespace tipflow::room::words {

std::string tip(const TipNews& tip, const std::optional<Combo>& combo);
std::string chat(const ChatNews& chat);
std::string count(std::string_view kind, std::int64_t count);
std::string stats(const Stats& stats);
std::string top(const std::vector<TopPlace>& places);
std::string state(anchor::RoomState state);

}  // namespace tipflow::room::words
