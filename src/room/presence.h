// How many are in each room, from what every room node reports of its part. A node that falls
// silent loses its viewers after a while; what it counted of the session stays. Pure.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "room/client.h"
#include "room/model.h"

namespace tipflow::room {

class PresenceBoard {
 public:
  /// A node reports everything at least this often, and is given up after three times that.
  static constexpr Duration kReportEvery{5 * kUsPerSecond};
  static constexpr Duration kSilence{15 * kUsPerSecond};

  void take(const Presence& report, Time now);
  /// Takes the viewers of silent nodes off the sums.
  void expire(Time now);

  [[nodiscard]] LiveNumbers numbers(RoomId room) const;
  /// How many have reported lately.
  [[nodiscard]] std::size_t processes() const { return heard_.size(); }
  /// Whether a node other than this process has reported lately.
  [[nodiscard]] bool othersThan(const std::string& process) const;

 private:
  struct Counts {
    std::int64_t viewers = 0;
    std::int64_t joins = 0;
    std::int64_t chats = 0;
  };
  struct Room {
    SessionId session;
    std::int64_t peak = 0;
    std::vector<Counts> parts;  // by the process's place; those that follow are zero
    Counts sum;                 // of the parts
  };
  std::size_t placeOf(const std::string& process);
  void take(std::size_t place, const Part& part);
  /// What the process counted stays, its viewers are gone.
  static void leave(Room& room, std::size_t place);
  static void set(Room& room, Counts& part, const Counts& counts);

  std::unordered_map<RoomId, Room> rooms_;
  std::unordered_map<std::string, std::size_t> places_;  // of each process that ever reported
  std::map<std::string, Time> heard_;                    // by process
  Time nobodySilentUntil_{};  // nobody can have been silent for too long before
};

}  // namespace tipflow::room
