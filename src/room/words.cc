#include "room/words.h"

#include "base/text.h"
#include "room/hall.h"

namespace tipflow::room::words {
namespace {

std::string begin(std::string_view kind) {
  std::string event = "{\"kind\":\"";
  event += kind;
  event += '"';
  return event;
}

void append(std::string& event, std::string_view name, std::int64_t value) {
  event += ",\"";
  event += name;
  event += "\":";
  event += std::to_string(value);
}

void append(std::string& event, std::string_view name, std::string_view value) {
  event += ",\"";
  event += name;
  event += "\":";
  appendJsonString(event, value);
}

void append(std::string& event, const Person& viewer) {
  // The leaderboard policy may show a name without its viewer.
  const auto id = viewer.id.value == 0 ? "null" : std::to_string(viewer.id.value);
  event += ",\"viewer\":{\"id\":" + id + ",\"name\":";
  appendJsonString(event, viewer.name);
  event += '}';
}

}  // namespace

std::string tip(const TipNews& tip, const std::optional<Combo>& combo) {
  auto event = begin("tip");
  append(event, tip.viewer);
  append(event, "giftId", tip.giftId);
  append(event, "count", tip.count);
  append(event, "amount", tip.amount.value);
  if (tip.message.empty()) {
    event += ",\"message\":null";
  } else {
    append(event, "message", tip.message);
  }
  append(event, "tipId", tip.id.value);
  if (combo) {
    event += ",\"combo\":{\"id\":\"" + std::to_string(combo->first.value) + '"';
    append(event, "count", combo->count);
    event += "}}";
  } else {
    event += ",\"combo\":null}";
  }
  return event;
}

std::string chat(const ChatNews& chat) {
  auto event = begin("chat");
  append(event, chat.viewer);
  append(event, "text", chat.text);
  event += '}';
  return event;
}

std::string count(std::string_view kind, std::int64_t count) {
  auto event = begin(kind);
  append(event, "count", count);
  event += '}';
  return event;
}

std::string stats(const Stats& stats) {
  auto event = begin("stats");
  append(event, "viewers", stats.viewers);
  if (stats.revenue) {
    append(event, "revenue", *stats.revenue);
  } else {
    event += ",\"revenue\":null";
  }
  append(event, "tips", stats.tips);
  event += '}';
  return event;
}

std::string top(const std::vector<TopPlace>& places) {
  auto event = begin("top");
  event += ",\"items\":[";
  for (const auto& place : places) {
    if (event.back() == '}') event += ',';
    event += "{\"rank\":" + std::to_string(place.rank);
    append(event, place.viewer);
    append(event, "amount", place.amount.value);
    event += '}';
  }
  event += "]}";
  return event;
}

std::string state(anchor::RoomState state) {
  auto event = begin("state");
  append(event, "state", word(state));
  event += '}';
  return event;
}

}  // namespace tipflow::room::words
