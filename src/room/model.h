// The words of a live room: what happens in it, and what nodes tell each other about it. Pure
// types.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/money.h"
#include "base/time.h"

namespace tipflow::room {

struct Person {
  ViewerId id;
  std::string name;
};

/// A tip that was committed.
struct TipNews {
  TipId id;
  Time acceptedAt;
  Person viewer;
  std::int64_t giftId = 0;  ///< 0: none
  std::int64_t count = 1;
  Fen amount;
  std::string message;
};

struct ChatNews {
  Person viewer;
  std::string text;
};

/// Tips of one room that were committed together.
struct RoomTips {
  RoomId room;
  std::vector<TipNews> tips;
};

/// What viewers said in one room on one node.
struct RoomChats {
  std::string process;  ///< that of the node they are connected to
  RoomId room;
  std::vector<ChatNews> chats;
};

/// What one node has of one room. Joins and chats are those of the session, since the node's start.
struct Part {
  RoomId room;
  SessionId session;
  std::int64_t viewers = 0;
  std::int64_t peakViewers = 0;  ///< over all nodes, as far as this one knows
  std::int64_t joins = 0;
  std::int64_t chats = 0;
  friend bool operator==(const Part&, const Part&) = default;
};

/// A node's report: the parts that changed, or `all` there are.
struct Presence {
  std::string process;
  bool all = false;
  std::vector<Part> parts;
};

/// How it now stands between a viewer and a room; nullopt: free.
struct Moderation {
  RoomId room;
  ViewerId viewer;
  std::optional<Time> kickedUntil;
  std::optional<Time> mutedUntil;
};

/// The session's board as viewers see it.
struct TopPlace {
  std::int64_t rank = 0;
  Person viewer;
  Fen amount;
  friend bool operator==(const TopPlace& a, const TopPlace& b) {
    return a.rank == b.rank && a.viewer.id == b.viewer.id && a.amount == b.amount &&
           a.viewer.name == b.viewer.name;
  }
};

}  // namespace tipflow::room
