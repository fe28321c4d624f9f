#include "platform/bus.h"

namespace tipflow {

void LocalBus::publish(const std::string& topic, std::string_view message) {
  std::vector<Listener> listeners;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = listeners_.find(topic); found != listeners_.end()) {
      listeners = found->second;
    }
  }
  for (const auto& listener : listeners) listener(message);
}

void LocalBus::subscribe(const std::string& topic, Listener listener) {
  const std::lock_guard lock(mutex_);
  listeners_[topic].push_back(std::move(listener));
}

}  // namespace tipflow
