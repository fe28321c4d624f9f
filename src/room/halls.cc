#include "room/halls.h"

#include <drogon/utils/coroutine.h>
#include <fmt/format.h>

#include <unordered_set>

#include "platform/log.h"
#include "room/news.h"

namespace tipflow::room {
namespace {

// A room without viewers here is kept for those who lost their connection.
constexpr Duration kLinger{60 * kUsPerSecond};
constexpr Duration kStatsEvery{2 * kUsPerSecond};
constexpr Duration kTopEvery{5 * kUsPerSecond};
constexpr Duration kHandOverEvery{1 * kUsPerSecond};
// An event loop that has not come to an end with a tick's frames by then is not waited for.
constexpr Duration kBehindMost{2 * kUsPerSecond};
constexpr Duration kAnewEvery{3 * kUsPerSecond};
constexpr std::int64_t kWatchedSeconds = 30;
constexpr int kTopPlaces = 10;
constexpr std::size_t kReadEachTick = 8;       // reports of other nodes
constexpr std::size_t kMostWaiting = 100'000;  // lines or watchings, while nobody takes them

drogon::AsyncTask keep(anchor::ChatArchive* archive, std::vector<anchor::ChatLine> lines,
                       RoomMetrics* metrics) {
  const auto count = lines.size();
  try {
    co_await archive->keep(std::move(lines));
  } catch (const std::exception& error) {
    metrics->chatsLost.Increment(static_cast<double>(count));
    log::warn("room", "cannot keep chat", log::field("messages", count),
              log::field("error", std::string_view(error.what())));
  }
}

drogon::AsyncTask note(analysis::AnalysisClient* analysis, std::vector<analysis::Watched> watched) {
  try {
    co_await analysis->noteWatched(std::move(watched));
  } catch (const std::exception& error) {
    log::warn("room", "cannot tell analysis who watched",
              log::field("error", std::string_view(error.what())));
  }
}

/// The session's board as viewers may see it; nullopt while it cannot be had, or is not for them.
using TopTaken = std::function<void(std::vector<TopPlace>)>;
drogon::AsyncTask fetchTop(audience::AudienceClient* audience, RoomId room, SessionId session,
                           TopTaken taken) {
  std::vector<TopPlace> places;
  try {
    const auto board = co_await audience->sessionTop(room, session, Time{}, kTopPlaces, false);
    if (!board.top) co_return;
    for (const auto& place : *board.top) {
      places.push_back({place.rank, {place.viewerId, place.name}, place.amount});
    }
  } catch (const std::exception& error) {
    log::info("room", "no board now", log::field("error", std::string_view(error.what())));
    co_return;
  }
  taken(std::move(places));
}

}  // namespace

struct Halls::Room {
  Room(RoomId i, SessionId s, Hall h, Time now)
      : id(i), session(s), hall(std::move(h)), emptySince(now), statsAt(now), topAt(now) {}

  RoomId id;
  SessionId session;
  Hall hall;
  std::unordered_set<std::int64_t> seats;  // their numbers
  std::int64_t joins = 0;
  std::int64_t chats = 0;
  std::int64_t most = 0;  // members at once, also between two reports
  Part reported;
  std::vector<ChatNews> said;  // since the last tick
  Time emptySince;
  Time statsAt;
  Time topAt;
  bool ending = false;
  std::int64_t topTips = -1;  // how many tips the board that was asked for last had

  [[nodiscard]] std::int64_t members() const { return static_cast<std::int64_t>(seats.size()); }
};

Halls::Halls(HallFriends friends, const HallLimits& limits, Duration tick, std::string process,
             const Clock& clock, RoomMetrics& metrics)
    : friends_(friends),
      limits_(limits),
      tickEvery_(tick),
      process_(std::move(process)),
      clock_(clock),
      metrics_(metrics) {}

Halls::~Halls() = default;

void Halls::start() {
  thread_.run();
  listen();
  thread_.getLoop()->runEvery(static_cast<double>(tickEvery_.count()) / kUsPerSecond,
                              [this] { tick(); });
}

void Halls::listen() {
  auto& bus = friends_.bus;
  bus.subscribe(topic::kRoomEvents, [this](std::string_view message) {
    auto news = news::readTips(message);
    if (news) post([this, n = *std::move(news)]() mutable { take(std::move(n)); });
  });
  bus.subscribe(topic::kRoomChats, [this](std::string_view message) {
    auto news = news::readChats(message);
    if (!news || news->process == process_) return;  // our own were shown when they were said
    post([this, n = *std::move(news)] {
      const auto room = rooms_.find(n.room);
      if (room == rooms_.end()) return;
      for (const auto& chat : n.chats) room->second->hall.chat(chat);
    });
  });
  bus.subscribe(topic::kRoomModeration, [this](std::string_view message) {
    const auto news = news::readModeration(message);
    const auto now = clock_.now();
    if (!news || !news->kickedUntil || *news->kickedUntil <= now) return;
    const auto seconds = (*news->kickedUntil - now).count() / kUsPerSecond + 1;
    post([this, n = *news, seconds] {
      onFloors([n, seconds](Floor& floor) { floor.kick(n.room, n.viewer, seconds); });
    });
  });
  bus.onGap({topic::kRoomEvents, topic::kRoomChats, topic::kRoomModeration},
            [this] { post([this] { anewDue_ = true; }); });
}

void Halls::post(std::function<void()> work) { thread_.getLoop()->queueInLoop(std::move(work)); }

void Halls::onFloors(const std::function<void(Floor&)>& work) {
  for (auto* floor : floors_) floor->loop().queueInLoop([floor, work] { work(*floor); });
}

void Halls::addFloor(Floor& floor) {
  post([this, &floor] { floors_.push_back(&floor); });
}

std::string Halls::newEpoch() { return fmt::format("{}-{}", process_, ++epochs_); }

Stats Halls::statsOf(const Room& room) const {
  Stats stats;
  // What this node last reported of itself may be a tick old.
  const auto others = friends_.live.numbers(room.id).viewers - room.reported.viewers;
  stats.viewers = std::max<std::int64_t>(0, others) + room.members();
  if (friends_.audience != nullptr) {
    const auto sum = friends_.audience->liveSum(room.session);
    stats.revenue = sum.amount.value;
    stats.tips = sum.tips;
  }
  return stats;
}

Halls::Room* Halls::open(RoomId id) {
  if (const auto found = rooms_.find(id); found != rooms_.end()) return found->second.get();
  const auto card = friends_.anchors->room(id);
  if (!card || card->state != anchor::RoomState::live) return nullptr;
  friends_.live.here(id, true);
  auto room =
      std::make_unique<Room>(id, card->session, Hall(id, newEpoch(), limits_), clock_.now());
  const auto numbers = friends_.live.numbers(id).of(card->session);
  room->hall.begin(numbers.viewers, numbers.joins);
  return rooms_.emplace(id, std::move(room)).first->second.get();
}

void Halls::enter(std::shared_ptr<Seat> seat) {
  post([this, seat = std::move(seat)] {
    auto* room = open(seat->room());
    if (room == nullptr) {
      seat->floor().loop().queueInLoop(
          [seat] { seat->end("closed", std::nullopt, http::CloseCode::normal); });
      return;
    }
    room->seats.insert(seat->number());
    ++room->joins;
    room->most = std::max(room->most, room->members());
    welcome(*room, seat);
  });
}

void Halls::welcome(Room& room, const std::shared_ptr<Seat>& seat) {
  std::optional<std::string> text;
  if (const auto resume = seat->takeResume()) {
    text = room.hall.missed(resume->epoch, resume->since);
  }
  const bool isHello = !text;
  if (isHello) text = room.hall.helloBegin(statsOf(room));
  // Frames go to the same loop by the same way: the seat hears each that is made from now on.
  seat->floor().loop().queueInLoop(
      [seat, text = *std::move(text), isHello] { seat->welcome(text, isHello); });
}

void Halls::leave(std::int64_t seat, analysis::Watched watched) {
  post([this, seat, watched] {
    const auto room = rooms_.find(watched.roomId);
    if (room != rooms_.end() && room->second->seats.erase(seat) > 0) {
      room->second->emptySince = clock_.now();
    }
    if (watched.viewerId.value != 0 && watched.seconds >= kWatchedSeconds &&
        friends_.analysis != nullptr && watched_.size() < kMostWaiting) {
      watched_.push_back(watched);
    }
  });
}

void Halls::say(RoomId id, ChatNews chat, Time at) {
  post([this, id, chat = std::move(chat), at] {
    const auto found = rooms_.find(id);
    if (found == rooms_.end()) return;
    auto& room = *found->second;
    ++room.chats;
    if (friends_.archive != nullptr && lines_.size() < kMostWaiting) {
      lines_.push_back({id, room.session, chat.viewer.id, chat.text, at});
    }
    room.said.push_back(chat);
    room.hall.chat(chat);
  });
}

void Halls::loggedOut(LoginMark login) {
  post([this, login] { loggedOut_.insert(login); });
}

// Twice each: a seat that was admitted before the first time may be on its floor only after it.
void Halls::sendLoggedOut() {
  if (loggedOut_.empty() && loggedOutBefore_.empty()) return;
  auto out = std::make_shared<std::unordered_set<LoginMark>>(loggedOut_);
  out->merge(loggedOutBefore_);
  loggedOutBefore_ = std::exchange(loggedOut_, {});
  onFloors([out](Floor& floor) { floor.logout(*out); });
}

void Halls::take(RoomTips news) {
  const auto room = rooms_.find(news.room);
  if (room == rooms_.end()) return;
  const auto now = clock_.now();
  for (auto& tip : news.tips) {
    const auto age = static_cast<double>((now - tip.acceptedAt).count()) / kUsPerSecond;
    if (!room->second->hall.tip(std::move(tip))) continue;
    metrics_.tips.Increment();
    metrics_.tipSeconds.Observe(std::max(0.0, age));
  }
}

// News may have been missed: what is shown can only be whole if everybody starts from how things
// stand now. To tell everybody is much work, and may itself be why Redis is too slow for some node:
// what is missed meanwhile waits for the next time.
void Halls::startAnewIfDue(Time now) {
  if (!anewDue_ || *greeting_ > 0 || now - anewAt_ < kAnewEvery) return;
  anewDue_ = false;
  anewAt_ = now;
  // What came and was not told yet belongs to what was.
  sendFrames(now);
  for (auto& [id, room] : rooms_) {
    room->hall = Hall(id, newEpoch(), limits_);
    const auto numbers = friends_.live.numbers(id).of(room->session);
    room->hall.begin(numbers.viewers, numbers.joins);
    onFloors([of = id, begin = room->hall.helloBegin(statsOf(*room))](Floor& floor) {
      floor.hello(of, begin);
    });
  }
  *greeting_ += static_cast<int>(floors_.size());
  onFloors([greeting = greeting_](Floor& floor) {
    floor.lookAtAll();
    --*greeting;
  });
}

void Halls::tick() {
  const auto now = clock_.now();
  for (auto room = rooms_.begin(); room != rooms_.end();) {
    publishChats(*room->second);
    room = follow(*room->second, now) ? std::next(room) : rooms_.erase(room);
  }
  report(now);
  startAnewIfDue(now);
  if (!areBehind(now)) sendFrames(now);
  handOver(now);
  metrics_.rooms.Set(static_cast<double>(rooms_.size()));
}

// While an event loop still hands on the frames of an earlier tick, what happens is gathered:
// frames that queued up behind each other would only come later and cost more.
bool Halls::areBehind(Time now) const { return *sending_ > 0 && now - sentAt_ < kBehindMost; }

void Halls::sendFrames(Time now) {
  auto deliveries = frames(now);
  if (deliveries.empty()) return;
  metrics_.frames.Increment(static_cast<double>(deliveries.size()));
  const auto shared = std::make_shared<const std::vector<Delivery>>(std::move(deliveries));
  sentAt_ = now;
  *sending_ += static_cast<int>(floors_.size());
  onFloors([shared, sending = sending_, counter = &metrics_.deliveries](Floor& floor) {
    std::size_t told = 0;
    for (const auto& delivery : *shared) told += floor.deliver(delivery);
    counter->Increment(static_cast<double>(told));
    --*sending;
  });
}

bool Halls::follow(Room& room, Time now) {
  const auto card = friends_.anchors->room(room.id);
  const auto state = card ? card->state : anchor::RoomState::off;
  room.hall.state(state);
  if (state == anchor::RoomState::live) {
    room.ending = false;
    if (card->session != room.session) {
      room.session = card->session;
      room.joins = room.members();
      room.most = room.members();
      room.chats = 0;
      room.topTips = -1;
    }
    if (!room.seats.empty() || now - room.emptySince < kLinger) return true;
    friends_.live.here(room.id, false);
    return false;
  }
  // One more tick for tips that were taken before it closed.
  if (!std::exchange(room.ending, true)) return true;
  end(room, state);
  return false;
}

void Halls::end(Room& room, anchor::RoomState state) {
  const char* code = state == anchor::RoomState::banned ? "banned" : "closed";
  const auto last = room.hall.tick(clock_.now());
  const Delivery delivery{room.id,
                          std::make_shared<const std::string>(http::textFrame(last.value_or("")))};
  onFloors([delivery, code, tell = last.has_value()](Floor& floor) {
    if (tell) floor.deliver(delivery);
    floor.end(delivery.room, code);
  });
  ended_.push_back(partOf(room));
  ended_.back().viewers = 0;
  friends_.live.here(room.id, false);
}

void Halls::publishChats(Room& room) {
  if (room.said.empty()) return;
  friends_.bus.publish(topic::kRoomChats,
                       news::write(RoomChats{process_, room.id, std::move(room.said)}));
  room.said.clear();
}

Part Halls::partOf(const Room& room) const {
  const auto known = friends_.live.numbers(room.id).of(room.session).peakViewers;
  return {room.id,    room.session, room.members(), std::max(known, room.most),
          room.joins, room.chats};
}

// Every node reads what all of them report: the more there are, the less often each does.
Duration Halls::reportEvery() const {
  return tickEvery_ * static_cast<std::int64_t>(1 + friends_.live.processes() / kReadEachTick);
}

void Halls::report(Time now) {
  // Half a tick of grace, for ticks are not exact.
  if (ended_.empty() && now - partsReportedAt_ < reportEvery() - tickEvery_ / 2) return;
  Presence presence{process_, now - reportedAt_ >= PresenceBoard::kReportEvery,
                    std::exchange(ended_, {})};
  for (auto& [_, room] : rooms_) {
    const auto part = partOf(*room);
    if (!presence.all && part == room->reported) continue;
    room->reported = part;
    presence.parts.push_back(part);
  }
  if (!presence.all && presence.parts.empty()) return;
  partsReportedAt_ = now;
  if (presence.all) reportedAt_ = now;
  friends_.bus.publish(topic::kRoomPresence, news::write(presence));
}

void Halls::tellNumbers(Room& room, Time now) {
  const auto numbers = friends_.live.numbers(room.id).of(room.session);
  room.hall.crowd(numbers.viewers, numbers.joins);
  if (now - room.statsAt < kStatsEvery) return;
  room.statsAt = now;
  const auto stats = statsOf(room);
  room.hall.stats(stats);
  if (now - room.topAt >= kTopEvery && stats.tips != room.topTips) {
    room.topAt = now;
    room.topTips = stats.tips;
    askTop(room);
  }
}

void Halls::askTop(Room& room) {
  if (friends_.audience == nullptr) return;
  fetchTop(friends_.audience, room.id, room.session,
           [this, id = room.id, session = room.session](std::vector<TopPlace> places) {
             post([this, id, session, places = std::move(places)] {
               const auto found = rooms_.find(id);
               if (found == rooms_.end() || found->second->session != session) return;
               found->second->hall.top(places);
             });
           });
}

// What comes with nothing else is told by turns, as far as the budget goes: where many come and go,
// telling everybody each time would cost more than all the tips.
std::vector<Delivery> Halls::frames(Time now) {
  std::vector<Delivery> deliveries;
  const auto perTick = limits_.countDeliveriesPerSecond * tickEvery_.count() / kUsPerSecond + 1;
  countBudget_ = std::min(countBudget_ + perTick, perTick);
  auto next = rooms_.upper_bound(countedLast_);
  for (std::size_t i = 0; i < rooms_.size(); ++i, ++next) {
    if (next == rooms_.end()) next = rooms_.begin();
    auto& [id, room] = *next;
    tellNumbers(*room, now);
    const bool countsAlone = room->hall.hasCountsAlone();
    const auto text = room->hall.tick(now, countBudget_ > 0);
    if (!text) continue;
    if (countsAlone) {
      countBudget_ -= room->members();
      countedLast_ = id;
    }
    deliveries.push_back({id, std::make_shared<const std::string>(http::textFrame(*text))});
  }
  return deliveries;
}

void Halls::handOver(Time now) {
  if (now - handedOverAt_ < kHandOverEvery) return;
  handedOverAt_ = now;
  sendLoggedOut();
  if (!lines_.empty()) keep(friends_.archive, std::exchange(lines_, {}), &metrics_);
  if (!watched_.empty()) note(friends_.analysis, std::exchange(watched_, {}));
}

}  // namespace tipflow::room
