#include "room/news.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/text.h"

namespace tipflow::room::news {
namespace {

namespace bj = boost::json;

std::string textOf(const bj::object& object, std::string_view name) {
  const auto& text = object.at(name).as_string();
  return {text.data(), text.size()};
}

std::int64_t numberOf(const bj::object& object, std::string_view name) {
  return object.at(name).as_int64();
}

std::optional<Time> timeOf(const bj::object& object, std::string_view name) {
  const auto& value = object.at(name);
  return value.is_null() ? std::nullopt : std::optional(Time{value.as_int64()});
}

/// What `make` makes of the message, which throws when something is missing or of another type.
template <class T, class Make>
std::optional<T> read(std::string_view message, Make make) {
  bj::error_code error;
  const auto value = bj::parse({message.data(), message.size()}, error);
  if (error || !value.is_object()) return std::nullopt;
  try {
    return make(value.get_object());
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

TipNews tipOf(const bj::object& tip) {
  return {TipId{numberOf(tip, "tipId")},
          Time{numberOf(tip, "acceptedAt")},
          {ViewerId{numberOf(tip, "viewerId")}, textOf(tip, "name")},
          numberOf(tip, "giftId"),
          numberOf(tip, "count"),
          Fen{numberOf(tip, "amount")},
          textOf(tip, "message")};
}

Part partOf(const bj::object& part) {
  return {RoomId{numberOf(part, "roomId")}, SessionId{numberOf(part, "sessionId")},
          numberOf(part, "viewers"),        numberOf(part, "peakViewers"),
          numberOf(part, "joins"),          numberOf(part, "chats")};
}

}  // namespace

std::optional<RoomTips> readTips(std::string_view message) {
  return read<RoomTips>(message, [](const bj::object& object) {
    RoomTips news{RoomId{numberOf(object, "roomId")}, {}};
    for (const auto& tip : object.at("tips").as_array()) {
      news.tips.push_back(tipOf(tip.as_object()));
    }
    return news;
  });
}

std::optional<RoomChats> readChats(std::string_view message) {
  return read<RoomChats>(message, [](const bj::object& object) {
    RoomChats news{textOf(object, "process"), RoomId{numberOf(object, "roomId")}, {}};
    for (const auto& value : object.at("chats").as_array()) {
      const auto& chat = value.as_object();
      news.chats.push_back(
          {{ViewerId{numberOf(chat, "viewerId")}, textOf(chat, "name")}, textOf(chat, "text")});
    }
    return news;
  });
}

std::optional<Presence> readPresence(std::string_view message) {
  return read<Presence>(message, [](const bj::object& object) {
    Presence presence{textOf(object, "process"), object.at("all").as_bool(), {}};
    for (const auto& part : object.at("rooms").as_array()) {
      presence.parts.push_back(partOf(part.as_object()));
    }
    return presence;
  });
}

std::optional<Moderation> readModeration(std::string_view message) {
  return read<Moderation>(message, [](const bj::object& object) {
    return Moderation{RoomId{numberOf(object, "roomId")}, ViewerId{numberOf(object, "viewerId")},
                      timeOf(object, "kickedUntil"), timeOf(object, "mutedUntil")};
  });
}

std::string write(const RoomChats& chats) {
  auto message =
      fmt::format(R"({{"process":"{}","roomId":{},"chats":[)", chats.process, chats.room.value);
  for (const auto& chat : chats.chats) {
    if (message.back() == '}') message += ',';
    message += fmt::format(R"({{"viewerId":{},"name":)", chat.viewer.id.value);
    appendJsonString(message, chat.viewer.name);
    message += ",\"text\":";
    appendJsonString(message, chat.text);
    message += '}';
  }
  message += "]}";
  return message;
}

std::string write(const Presence& presence) {
  auto message = fmt::format(R"({{"process":"{}","all":{},"rooms":[)", presence.process,
                             presence.all ? "true" : "false");
  for (const auto& part : presence.parts) {
    if (message.back() == '}') message += ',';
    message += fmt::format(
        R"({{"roomId":{},"sessionId":{},"viewers":{},"peakViewers":{},"joins":{},"chats":{}}})",
        part.room.value, part.session.value, part.viewers, part.peakViewers, part.joins,
        part.chats);
  }
  message += "]}";
  return message;
}

}  // namespace tipflow::room::news
