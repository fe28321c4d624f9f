#include "load/seats.h"

#include <algorithm>
#include <utility>

namespace tipflow::load {
namespace {

constexpr MonotonicUs kLookUs = 1'000'000;
constexpr Duration kRenewBefore{1'800 * kUsPerSecond};
constexpr Duration kRenewAgain{10 * kUsPerSecond};

// Half an hour before the token ends, or half-way there when it does not live for an hour.
Time renewAtOf(Time expiresAt, Time now) {
  return expiresAt - std::min(kRenewBefore, (expiresAt - now) / 2);
}

}  // namespace

Seats::Seats(Url url, Passwords passwords, std::vector<Sender> senders, std::size_t firstRenewed,
             const Clock& clock)
    : url_(std::move(url)),
      passwords_(std::move(passwords)),
      senders_(std::move(senders)),
      firstRenewed_(firstRenewed),
      clock_(clock) {
  const auto now = clock_.now();
  seats_.reserve(senders_.size());
  for (const auto& sender : senders_) {
    seats_.push_back({.sender = static_cast<std::uint32_t>(seats_.size()),
                      .renewAt = renewAtOf(sender.expiresAt, now)});
  }
}

void Seats::look(MonotonicUs now) {
  if (now < nextLookUs_) return;
  nextLookUs_ = now + kLookUs;
  const auto wall = clock_.now();
  for (auto place = firstRenewed_; place < seats_.size(); ++place) {
    auto& seat = seats_[place];
    if (seat.renewing || wall < seat.renewAt) continue;
    seat.renewing = true;
    seat.renewAt = wall + kRenewAgain;
    due_.push_back(static_cast<std::uint32_t>(place));
  }
}

std::optional<std::uint32_t> Seats::next(std::string& out) {
  if (due_.empty()) return std::nullopt;
  const auto seat = due_.front();
  due_.pop_front();
  ++inFlight_;
  const auto& sender = senders_[seats_[seat].sender];
  const auto headers = senderHeaders(url_, {});
  if (sender.name.empty()) {
    appendPost(out, {"/api/v1/viewers/guests", headers, "{}"});
  } else {
    const auto& password =
        sender.kind == PrincipalKind::operator_ ? passwords_.operator_ : passwords_.people;
    const auto body = loginBody(sender.kind, sender.name, password);
    appendPost(out, {"/api/v1/auth/login", headers, body});
  }
  return seat;
}

void Seats::lost(std::uint32_t seat) {
  --inFlight_;
  seats_[seat].renewing = false;
}

void Seats::answered(std::uint32_t place, const Answer& answer) {
  --inFlight_;
  auto& seat = seats_[place];
  seat.renewing = false;
  if (answer.status != 200 && answer.status != 201) return;
  auto session = readSession(answer.body);
  if (!session) return;
  seat.renewAt = renewAtOf(session->expiresAt, clock_.now());
  const auto& before = senders_[seat.sender];
  auto sender = makeSender(url_, before.kind, before.name, std::move(*session));
  if (before.name.empty()) {
    // Another guest takes the seat; what the last one gave stays to be looked up with that token.
    seat.sender = static_cast<std::uint32_t>(senders_.size());
    senders_.push_back(std::move(sender));
  } else {
    senders_[seat.sender] = std::move(sender);
  }
}

void Seats::renewSoon(std::uint32_t sender) {
  const auto wall = clock_.now();
  for (auto& seat : seats_) {
    // Not when it was renewed a moment ago, or is about to be: renewAt then lies close ahead.
    if (seat.sender == sender && seat.renewAt > wall + kRenewAgain) seat.renewAt = wall;
  }
}

}  // namespace tipflow::load
