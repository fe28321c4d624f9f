// One room as one node shows it: what happens is gathered and goes out as one frame a tick, the
// same for everybody. Tips are never left out; chat is sampled above a bound. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <string>
#include <unordered_set>
#include <vector>

#include "anchor/client.h"
#include "room/ring.h"
#include "room/rules.h"

namespace tipflow::room {

struct HallLimits {
  std::size_t ringBytes = 2 * 1024 * 1024;
  std::size_t chatsATick = 30;
  Duration comboWindow{5 * kUsPerSecond};
  std::size_t knownTips = 20'000;
  /// Of frames that tell counts and boards alone, all rooms of a node together; the others wait.
  std::int64_t countDeliveriesPerSecond = 5'000;
};

/// What is told now and then, when it has changed.
struct Stats {
  std::int64_t viewers = 0;
  std::optional<std::int64_t> revenue;  ///< fen, of the session; nullopt: not known here
  std::int64_t tips = 0;
  friend bool operator==(const Stats&, const Stats&) = default;
};

class Hall {
 public:
  Hall(RoomId room, std::string epoch, const HallLimits& limits);

  /// False for a tip that was told before.
  bool tip(TipNews tip);
  void chat(ChatNews chat);
  /// Who was there before this hall, and is not told as having come.
  void begin(std::int64_t viewers, std::int64_t joins);
  // Counts and boards, which can wait for company:
  /// How many there are and how many ever came; told as joins and leaves.
  void crowd(std::int64_t viewers, std::int64_t joins);
  void stats(const Stats& stats);
  void top(std::vector<TopPlace> places);

  void state(anchor::RoomState state);

  /// Whether counts or boards changed and nothing else is to be told.
  [[nodiscard]] bool hasCountsAlone() const;
  /// All that happened since the last tick as one frame; nullopt when nothing did. Without
  /// `countsAlone` it is none either when only counts and boards changed: they are kept.
  std::optional<std::string> tick(Time now, bool countsAlone = true);
  /// Everything behind `offset` as one frame; nullopt when it cannot be given in full.
  [[nodiscard]] std::optional<std::string> missed(const std::string& epoch,
                                                  std::int64_t offset) const;
  /// The beginning of a hello; what the client itself is goes behind it (helloEnd).
  [[nodiscard]] std::string helloBegin(const Stats& now) const;
  [[nodiscard]] std::int64_t offset() const { return ring_.offset(); }

 private:
  void add(std::string event);
  void flushTips();
  void flushChats();
  void flushCounts();
  [[nodiscard]] bool countsChanged() const;
  [[nodiscard]] bool hasNews() const;
  [[nodiscard]] std::string frame(std::string_view events, std::size_t chatsLeftOut) const;

  RoomId room_;
  std::string epoch_;
  HallLimits limits_;
  Ring ring_;
  Combos combos_;
  std::optional<std::string> stateTold_;  // in this tick
  std::vector<TipNews> tips_;
  std::vector<ChatNews> chats_;
  std::size_t chatsSaid_ = 0;  // in this tick
  std::minstd_rand choice_;
  std::unordered_set<TipId> known_;
  std::deque<TipId> knownOrder_;
  std::string events_;  // of this tick, joined
  struct Crowd {
    std::int64_t viewers = 0;
    std::int64_t joins = 0;
    friend bool operator==(const Crowd&, const Crowd&) = default;
  };
  Crowd crowd_;
  Crowd crowdTold_;
  std::optional<Stats> stats_;
  std::vector<TopPlace> top_;
  bool statsChanged_ = false;
  bool topChanged_ = false;
  anchor::RoomState state_ = anchor::RoomState::live;
};

/// What stands behind helloBegin: `muted`: whether this viewer may not chat.
[[nodiscard]] std::string_view helloEnd(bool muted);

/// `{"type":"bye",…}`. `retryAfterSeconds`: nullopt: not told when to return.
[[nodiscard]] std::string bye(std::string_view code, std::optional<std::int64_t> retryAfterSeconds);

}  // namespace tipflow::room
