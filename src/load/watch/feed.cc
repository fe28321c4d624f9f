#include "load/watch/feed.h"

#include <boost/json.hpp>

#include <charconv>

namespace tipflow::load::watch {
namespace {

constexpr std::string_view kMark = "seen ";

const boost::json::value* member(const boost::json::object& object, std::string_view name) {
  return object.if_contains({name.data(), name.size()});
}

std::optional<std::int64_t> integer(const boost::json::object& object, std::string_view name) {
  const auto* value = member(object, name);
  const auto* number = value == nullptr ? nullptr : value->if_int64();
  return number == nullptr ? std::nullopt : std::optional(*number);
}

std::optional<std::string_view> text(const boost::json::object& object, std::string_view name) {
  const auto* value = member(object, name);
  const auto* found = value == nullptr ? nullptr : value->if_string();
  if (found == nullptr) return std::nullopt;
  return std::string_view(found->data(), found->size());
}

void readTip(const boost::json::object& event, RoomFrame& frame) {
  if (text(event, "kind") != "tip") return;
  const auto message = text(event, "message");
  const auto number = message ? tipNumber(*message) : std::nullopt;
  const auto amount = integer(event, "amount");
  if (!number || !amount) return;  // somebody else's
  frame.tips.push_back({*number, *amount});
  frame.amountFen += *amount;
}

bool readEvents(const boost::json::object& object, RoomFrame& frame) {
  const auto offset = integer(object, "offset");
  const auto* list = member(object, "events");
  const auto* events = list == nullptr ? nullptr : list->if_array();
  if (!offset || events == nullptr) return false;
  frame.kind = RoomFrame::Kind::events;
  frame.offset = *offset;
  frame.events = static_cast<std::int64_t>(events->size());
  for (const auto& event : *events) {
    if (const auto* one = event.if_object()) readTip(*one, frame);
  }
  return true;
}

bool readHello(const boost::json::object& object, RoomFrame& frame) {
  const auto offset = integer(object, "offset");
  const auto epoch = text(object, "epoch");
  if (!offset || !epoch) return false;
  frame.kind = RoomFrame::Kind::hello;
  frame.offset = *offset;
  frame.epoch = *epoch;
  return true;
}

bool readBye(const boost::json::object& object, RoomFrame& frame) {
  const auto code = text(object, "code");
  if (!code) return false;
  frame.kind = RoomFrame::Kind::bye;
  frame.code = *code;
  if (const auto after = integer(object, "retryAfter")) {
    frame.retryAfterSeconds = static_cast<int>(*after);
  }
  return true;
}

}  // namespace

std::string tipMessage(std::uint32_t number) { return std::string(kMark) + std::to_string(number); }

std::optional<std::uint32_t> tipNumber(std::string_view message) {
  if (!message.starts_with(kMark)) return std::nullopt;
  message.remove_prefix(kMark.size());
  std::uint32_t number = 0;
  const auto [end, error] =
      std::from_chars(message.data(), message.data() + message.size(), number);
  if (error != std::errc{} || end != message.data() + message.size()) return std::nullopt;
  return number;
}

std::optional<RoomFrame> readRoomFrame(std::string_view bytes) {
  boost::system::error_code fault;
  const auto value = boost::json::parse({bytes.data(), bytes.size()}, fault);
  const auto* object = fault ? nullptr : value.if_object();
  if (object == nullptr) return std::nullopt;
  const auto type = text(*object, "type");
  RoomFrame frame;
  bool known = true;
  if (type == "events") {
    known = readEvents(*object, frame);
  } else if (type == "hello") {
    known = readHello(*object, frame);
  } else if (type == "bye") {
    known = readBye(*object, frame);
  }
  return known && type ? std::optional(std::move(frame)) : std::nullopt;
}

const RoomFrame* Feed::take(std::string_view text, Place& place) {
  // Nearly always it is the one that the viewer's last one was followed by.
  if (place >= first_ && place < end() && kept_[place - first_].text == text) {
    return &kept_[place++ - first_].frame;
  }
  for (std::size_t back = kept_.size(); back-- > 0;) {
    if (kept_[back].text != text) continue;
    place = first_ + back + 1;
    return &kept_[back].frame;
  }
  auto frame = readRoomFrame(text);
  ++read_;
  if (!frame) return nullptr;
  if (frame->kind != RoomFrame::Kind::events) {
    own_ = *std::move(frame);
    place = end();
    return &own_;
  }
  kept_.push_back({std::string(text), *std::move(frame)});
  if (kept_.size() > kKept) {
    kept_.pop_front();
    ++first_;
  }
  place = end();
  return &kept_.back().frame;
}

Continuity::Verdict Continuity::hear(const RoomFrame& frame, std::uint32_t epoch) {
  Verdict verdict;
  if (frame.kind == RoomFrame::Kind::hello) {
    verdict.anew = begun_ && (epoch != epoch_ || frame.offset != offset_);
    if (verdict.anew) whole_ = false;
    begun_ = true;
    epoch_ = epoch;
    offset_ = frame.offset;
    return verdict;
  }
  if (frame.kind != RoomFrame::Kind::events) return verdict;
  const auto before = frame.offset - frame.events;
  verdict.gap = !begun_ || before > offset_;
  verdict.repeat = begun_ && before < offset_;
  if (verdict.gap || verdict.repeat) whole_ = false;
  offset_ = frame.offset;
  return verdict;
}

}  // namespace tipflow::load::watch
