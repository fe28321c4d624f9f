#include "room/seat.h"

#include <algorithm>
#include <iterator>

#include "room/hall.h"

namespace tipflow::room {
namespace {

constexpr std::int64_t secondsOf(Duration duration) {
  return (duration.count() + kUsPerSecond - 1) / kUsPerSecond;
}

}  // namespace

void Seat::onOpen(http::WebSocket& socket) {
  socket_ = &socket;
  floor_ = &host_.floorOf(socket.loop());
  host_.entered(shared_from_this());
}

void Seat::welcome(std::string text, bool isHello) {
  if (socket_ == nullptr) return;
  // Sent out or in trouble since it was admitted.
  if (const auto wait = host_.keptOut(*this)) {
    return end("kicked", secondsOf(*wait), http::CloseCode::policy);
  }
  if (isHello) text += helloEnd(host_.muted(*this));
  socket_->sendFirst(http::textFrame(text));
  floor_->add(*this);
}

void Seat::hello(std::string_view begin) {
  answer(std::string(begin) + std::string(helloEnd(host_.muted(*this))));
}

void Seat::end(std::string_view code, std::optional<std::int64_t> retryAfterSeconds,
               http::CloseCode closeCode) {
  if (socket_ != nullptr) {
    socket_->close(closeCode, http::textFrame(bye(code, retryAfterSeconds)));
  }
}

void Seat::onText(std::string_view text) {
  auto read = readClientFrame(text);
  if (!read.frame) {
    host_.refused(read.frame.error());
    return answer(error(read.id, read.frame.error()));
  }
  if (read.frame->kind == ClientFrame::Kind::ping) return answer(pong());
  host_.said(shared_from_this(), *std::move(read.frame));
}

void Seat::onSlow() {
  host_.slow();
  end("slow", std::nullopt, http::CloseCode::policy);
}

void Seat::onGone() {
  if (socket_ == nullptr) return;
  socket_ = nullptr;
  floor_->remove(*this);
  host_.left(*this);
}

void Floor::add(Seat& seat) {
  auto& room = rooms_[seat.room_];
  seat.place_ = room.size();
  room.push_back(&seat);
  ++seats_;
}

void Floor::remove(Seat& seat) {
  if (seat.place_ == Seat::kNowhere) return;
  const auto found = rooms_.find(seat.room_);
  auto& room = found->second;
  room[seat.place_] = room.back();
  room[seat.place_]->place_ = seat.place_;
  room.pop_back();
  seat.place_ = Seat::kNowhere;
  --seats_;
  if (room.empty()) rooms_.erase(found);
}

std::size_t Floor::deliver(const Delivery& delivery) {
  const auto found = rooms_.find(delivery.room);
  if (found == rooms_.end()) return 0;
  for (auto* seat : found->second) seat->deliver(*delivery.frame);
  return found->second.size();
}

// A copy: who is sent away leaves the list.
std::vector<Seat*> Floor::of(RoomId room) const {
  const auto found = rooms_.find(room);
  return found == rooms_.end() ? std::vector<Seat*>{} : found->second;
}

void Floor::hello(RoomId room, std::string_view begin) {
  for (auto* seat : of(room)) seat->hello(begin);
}

void Floor::end(RoomId room, std::string_view code) {
  for (auto* seat : of(room)) seat->end(code, std::nullopt, http::CloseCode::normal);
}

void Floor::kick(RoomId room, ViewerId viewer, std::int64_t seconds) {
  for (auto* seat : of(room)) {
    if (seat->viewer_ == viewer) seat->end("kicked", seconds, http::CloseCode::policy);
  }
}

void Floor::logout(const std::unordered_set<LoginMark>& logins) {
  std::vector<Seat*> out;
  for (const auto& [_, seats] : rooms_) {
    std::copy_if(seats.begin(), seats.end(), std::back_inserter(out),
                 [&](const Seat* seat) { return logins.contains(seat->login_); });
  }
  for (auto* seat : out) seat->end("logged_out", std::nullopt, http::CloseCode::policy);
}

void Floor::lookAtAll() {
  std::vector<Seat*> out;
  for (const auto& [_, seats] : rooms_) {
    for (auto* seat : seats) {
      if (seat->host_.keptOut(*seat)) out.push_back(seat);
    }
  }
  for (auto* seat : out) {
    const auto wait = seat->host_.keptOut(*seat);
    seat->end("kicked", wait ? std::optional(secondsOf(*wait)) : std::nullopt,
              http::CloseCode::policy);
  }
}

bool Floor::drain(std::size_t most, std::int64_t spread) {
  for (; most > 0 && !rooms_.empty(); --most) {
    auto* seat = rooms_.begin()->second.back();
    seat->end("drain", 1 + drained_++ % spread, http::CloseCode::goingAway);
  }
  return !rooms_.empty();
}

}  // namespace tipflow::room
