// News between roles and nodes: at most once, to whoever listens now. Nothing rests on its arrival.
// In process here; between nodes: platform/redis/redis_bus.h.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tipflow {

class Bus {
 public:
  using Listener = std::function<void(std::string_view message)>;
  using Topics = std::set<std::string>;
  virtual ~Bus() = default;
  /// From any thread; never waits. This node's listeners have heard it when it returns, those of
  /// others hear it within milliseconds.
  virtual void publish(const std::string& topic, std::string_view message) = 0;
  /// Listeners are called on the publisher's thread or one of the bus, must be quick, and stay for
  /// good.
  virtual void subscribe(const std::string& topic, Listener listener) = 0;
  /// `listener` is called when messages of other nodes on any of these topics may have been missed,
  /// and once this node hears others at all: whoever keeps a copy of something reads it anew then.
  /// On a thread of the bus.
  virtual void onGap(Topics topics, std::function<void()> listener) = 0;
};

class LocalBus final : public Bus {
 public:
  void publish(const std::string& topic, std::string_view message) override;
  void subscribe(const std::string& topic, Listener listener) override;
  /// Within one process nothing is missed.
  void onGap(Topics, std::function<void()>) override {}

 private:
  std::mutex mutex_;
  std::map<std::string, std::vector<Listener>> listeners_;
};

/// Topics and what their messages hold.
namespace topic {
/// {"roomId":7,"viewerId":9,"kickedUntil":<µs>|null,"mutedUntil":<µs>|null}: how it is now.
inline constexpr const char* kRoomModeration = "room.moderation";
/// Tips of one room that were committed together, what was said in one, and how many are where:
/// what stands in them is in api/events.md.
inline constexpr const char* kRoomEvents = "room.events";
inline constexpr const char* kRoomChats = "room.chats";
inline constexpr const char* kRoomPresence = "room.presence";
inline constexpr const char* kRoomChanged = "room.changed";      ///< room id
inline constexpr const char* kViewerChanged = "viewer.changed";  ///< viewer id
inline constexpr const char* kTokenRevoked = "token.revoked";    ///< token id, blank, its end in s
/// audience/sums_wire.h: running sums of open sessions.
inline constexpr const char* kSessionSums = "session.sums";
inline constexpr const char* kBlocksChanged = "blocks.changed";  ///< nothing
}  // namespace topic

}  // namespace tipflow
