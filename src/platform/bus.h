// News between roles and nodes: at most once, to whoever listens now. Nothing rests on its arrival.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace tipflow {

class Bus {
 public:
  using Listener = std::function<void(std::string_view message)>;
  virtual ~Bus() = default;
  virtual void publish(const std::string& topic, std::string_view message) = 0;
  /// Listeners are called on the publisher's thread, must be quick, and stay for good.
  virtual void subscribe(const std::string& topic, Listener listener) = 0;
};

class LocalBus final : public Bus {
 public:
  void publish(const std::string& topic, std::string_view message) override;
  void subscribe(const std::string& topic, Listener listener) override;

 private:
  std::mutex mutex_;
  std::map<std::string, std::vector<Listener>> listeners_;
};

/// Topics and what their messages hold.
namespace topic {
inline constexpr const char* kRoomChanged = "room.changed";      ///< room id
inline constexpr const char* kViewerChanged = "viewer.changed";  ///< viewer id
inline constexpr const char* kTokenRevoked = "token.revoked";    ///< token id
inline constexpr const char* kBlocksChanged = "blocks.changed";  ///< nothing
}  // namespace topic

}  // namespace tipflow
