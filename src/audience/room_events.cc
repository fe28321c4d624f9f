#include "audience/room_events.h"

#include <fmt/format.h>

#include <map>

#include "base/text.h"
#include "platform/thread_name.h"

namespace tipflow::audience {
namespace {

// Some seconds of the highest rate; viewers are better off without news that are older.
constexpr std::size_t kMostWaiting = 100'000;

void append(std::string& message, const NumberedTip& tip, std::string_view name) {
  const auto& given = tip.tip;
  message += fmt::format(R"({{"tipId":{},"acceptedAt":{},"viewerId":{},"name":)", tip.id.value,
                         tip.acceptedAt.us, given.viewer.value);
  appendJsonString(message, name);
  message += fmt::format(R"(,"giftId":{},"count":{},"amount":{},"message":)", given.giftId,
                         given.count, given.amount.value);
  appendJsonString(message, given.message);
  message += '}';
}

}  // namespace

std::vector<std::string> roomMessages(const std::vector<NumberedTip>& tips,
                                      const std::function<bool(RoomId)>& isWanted,
                                      const std::function<std::string(ViewerId)>& nameOf) {
  std::map<RoomId, std::vector<const NumberedTip*>> byRoom;
  for (const auto& tip : tips) byRoom[tip.tip.room].push_back(&tip);
  std::vector<std::string> messages;
  for (const auto& [room, given] : byRoom) {
    if (!isWanted(room)) continue;
    auto message = fmt::format(R"({{"roomId":{},"tips":[)", room.value);
    for (const auto* tip : given) {
      if (message.back() == '}') message += ',';
      append(message, *tip, nameOf(tip->tip.viewer));
    }
    message += "]}";
    messages.push_back(std::move(message));
  }
  return messages;
}

RoomEvents::RoomEvents(Bus& bus, const room::LiveRooms* rooms, Names nameOf, Metrics& metrics)
    : bus_(bus),
      rooms_(rooms),
      nameOf_(std::move(nameOf)),
      messages_(metrics.counter("tipflow_room_events_total",
                                "Messages to live rooms, one a committed batch and room.")),
      lost_(metrics.counter("tipflow_room_events_lost_total",
                            "Tips that live rooms were not told of, because too many waited.")),
      thread_([this] { run(); }) {}

RoomEvents::~RoomEvents() { stop(); }

void RoomEvents::onCommitted(const std::vector<NumberedTip>& tips) {
  if (rooms_ == nullptr || !rooms_->anyWatched()) return;
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() + tips.size() > kMostWaiting) {
      lost_.Increment(static_cast<double>(tips.size()));
      return;
    }
    wake = waiting_.empty();
    waiting_.insert(waiting_.end(), tips.begin(), tips.end());
  }
  if (wake) wake_.notify_one();
}

void RoomEvents::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void RoomEvents::run() {
  nameThread("room-events");
  std::vector<NumberedTip> taken;
  for (;;) {
    taken.clear();
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      taken.swap(waiting_);
    }
    tell(taken);
  }
}

void RoomEvents::tell(const std::vector<NumberedTip>& tips) {
  const auto isWatched = [this](RoomId room) { return rooms_->isWatched(room); };
  for (const auto& message : roomMessages(tips, isWatched, nameOf_)) {
    messages_.Increment();
    bus_.publish(topic::kRoomEvents, message);
  }
}

}  // namespace tipflow::audience
