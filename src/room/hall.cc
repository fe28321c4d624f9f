#include "room/hall.h"

#include <algorithm>
#include <utility>

#include "room/words.h"

namespace tipflow::room {

Hall::Hall(RoomId room, std::string epoch, const HallLimits& limits)
    : room_(room),
      epoch_(std::move(epoch)),
      limits_(limits),
      ring_(limits.ringBytes),
      combos_(limits.comboWindow) {}

bool Hall::tip(TipNews tip) {
  if (!known_.insert(tip.id).second) return false;
  knownOrder_.push_back(tip.id);
  if (knownOrder_.size() > limits_.knownTips) {
    known_.erase(knownOrder_.front());
    knownOrder_.pop_front();
  }
  tips_.push_back(std::move(tip));
  return true;
}

// Above the bound each message has the same chance to be among those that are shown.
void Hall::chat(ChatNews chat) {
  ++chatsSaid_;
  if (chats_.size() < limits_.chatsATick) {
    chats_.push_back(std::move(chat));
    return;
  }
  const auto place = std::uniform_int_distribution<std::size_t>(0, chatsSaid_ - 1)(choice_);
  if (place < chats_.size()) chats_[place] = std::move(chat);
}

void Hall::begin(std::int64_t viewers, std::int64_t joins) {
  crowd_ = {viewers, joins};
  crowdTold_ = crowd_;
}

void Hall::crowd(std::int64_t viewers, std::int64_t joins) { crowd_ = {viewers, joins}; }

void Hall::stats(const Stats& stats) {
  if (stats_ == stats) return;
  stats_ = stats;
  statsChanged_ = true;
}

void Hall::top(std::vector<TopPlace> places) {
  if (top_ == places) return;
  top_ = std::move(places);
  topChanged_ = true;
}

void Hall::state(anchor::RoomState state) {
  if (state_ == state) return;
  state_ = state;
  stateTold_ = words::state(state);
}

void Hall::add(std::string event) {
  if (!events_.empty()) events_ += ',';
  events_ += event;
  ring_.add(std::move(event));
}

void Hall::flushTips() {
  std::sort(tips_.begin(), tips_.end(), [](const TipNews& a, const TipNews& b) {
    return std::pair(a.acceptedAt, a.id) < std::pair(b.acceptedAt, b.id);
  });
  for (const auto& tip : tips_) add(words::tip(tip, combos_.add(tip)));
  tips_.clear();
}

void Hall::flushChats() {
  for (const auto& chat : chats_) add(words::chat(chat));
  chats_.clear();
}

void Hall::flushCounts() {
  // A new session, or a node that forgot, starts counting anew.
  const auto joined = std::max<std::int64_t>(0, crowd_.joins - crowdTold_.joins);
  const auto left = std::max<std::int64_t>(0, crowdTold_.viewers + joined - crowd_.viewers);
  if (joined > 0) add(words::count("join", joined));
  if (left > 0) add(words::count("leave", left));
  crowdTold_ = crowd_;
  if (std::exchange(statsChanged_, false)) add(words::stats(*stats_));
  if (std::exchange(topChanged_, false)) add(words::top(top_));
}

bool Hall::countsChanged() const { return crowd_ != crowdTold_ || statsChanged_ || topChanged_; }
bool Hall::hasNews() const { return !tips_.empty() || !chats_.empty() || stateTold_; }
bool Hall::hasCountsAlone() const { return countsChanged() && !hasNews(); }

std::optional<std::string> Hall::tick(Time now, bool countsAlone) {
  combos_.forgetBefore(now - limits_.comboWindow);
  if (!countsAlone && !hasNews()) return std::nullopt;
  const auto leftOut = chatsSaid_ - chats_.size();
  flushTips();
  flushChats();
  flushCounts();
  if (auto state = std::exchange(stateTold_, std::nullopt)) add(*std::move(state));
  chatsSaid_ = 0;
  if (events_.empty()) return std::nullopt;
  const auto events = std::exchange(events_, {});
  return frame(events, leftOut);
}

std::string Hall::frame(std::string_view events, std::size_t chatsLeftOut) const {
  std::string text = "{\"type\":\"events\",\"offset\":" + std::to_string(ring_.offset());
  if (chatsLeftOut > 0) text += ",\"chatsLeftOut\":" + std::to_string(chatsLeftOut);
  text += ",\"events\":[";
  text += events;
  text += "]}";
  return text;
}

std::optional<std::string> Hall::missed(const std::string& epoch, std::int64_t offset) const {
  if (epoch != epoch_) return std::nullopt;
  const auto events = ring_.since(offset);
  if (!events) return std::nullopt;
  return frame(*events, 0);
}

std::string Hall::helloBegin(const Stats& now) const {
  std::string text = "{\"type\":\"hello\",\"roomId\":" + std::to_string(room_.value);
  text += ",\"epoch\":\"" + epoch_ + "\",\"offset\":" + std::to_string(ring_.offset());
  text += ",\"viewers\":" + std::to_string(now.viewers) + ",\"revenue\":";
  text += now.revenue ? std::to_string(*now.revenue) : "null";
  text += ",\"state\":\"";
  text += word(state_);
  text += "\",";
  return text;
}

std::string_view helloEnd(bool muted) {
  return muted ? "\"you\":{\"muted\":true}}" : "\"you\":{\"muted\":false}}";
}

std::string bye(std::string_view code, std::optional<std::int64_t> retryAfterSeconds) {
  std::string text = "{\"type\":\"bye\",\"code\":\"";
  text += code;
  text += "\",\"retryAfter\":";
  text += retryAfterSeconds ? std::to_string(*retryAfterSeconds) : "null";
  text += '}';
  return text;
}

}  // namespace tipflow::room
