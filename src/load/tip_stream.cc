#include "load/tip_stream.h"

#include <algorithm>
#include <utility>

namespace tipflow::load {
namespace {

constexpr std::string_view kTarget = "/api/v1/tips";
constexpr Ticket kRenewal = Ticket{1} << 63;

// A refused tip is not written; after this long it is given up, as a viewer would.
constexpr MonotonicUs kRefusedMostUs = 10'000'000;
// After the last start, open outcomes are asked about for this long.
constexpr MonotonicUs kResolveMostUs = 60'000'000;
// Later than this, a start is shown as waiting.
constexpr MonotonicUs kOverdueUs = 100'000;
// More open tips than this and no new ones are begun: they wait in the schedule.
constexpr std::size_t kOpenMost = 100'000;

constexpr MonotonicUs kRenewalLookUs = 1'000'000;
constexpr MonotonicUs kUntilRenewedUs = 1'000'000;
constexpr Duration kRenewBefore{1'800 * kUsPerSecond};
constexpr Duration kRenewAgain{10 * kUsPerSecond};

// Half an hour before the token ends, or half-way there when it does not live for an hour.
Time renewAtOf(Time expiresAt, Time now) {
  return expiresAt - std::min(kRenewBefore, (expiresAt - now) / 2);
}

std::string_view codeOf(const Answer& answer) {
  return textMember(answer.body, "code").value_or("without a code");
}

}  // namespace

TipStream::TipStream(TipPlan plan, Population population, const Clock& clock, Random& ids)
    : plan_(std::move(plan)),
      rooms_(std::move(population.rooms)),
      viewers_(std::move(population.viewers)),
      clock_(clock),
      ids_(ids),
      pacer_(plan_.pace),
      endUs_(plan_.pace.endUs),
      chooser_(rooms_.size(), viewers_.size(), plan_.seed),
      record_(plan_.recordMost) {
  seats_.reserve(viewers_.size());
  for (const auto& viewer : viewers_) {
    seats_.push_back({.viewer = static_cast<std::uint32_t>(seats_.size()),
                      .renewAt = renewAtOf(viewer.expiresAt, clock_.now())});
  }
}

std::optional<Ticket> TipStream::next(MonotonicUs now, std::string& out) {
  if (now >= nextRenewalLookUs_) lookForRenewals(now);
  if (!renewals_.empty()) {
    const auto seat = renewals_.front();
    renewals_.pop_front();
    sendRenewal(seat, out);
    return kRenewal | seat;
  }
  std::optional<std::uint64_t> place = retries_.take(now);
  if (!place && !repeats_.empty()) {
    place = repeats_.front();
    repeats_.pop_front();
  }
  if (!place && mayStart()) {
    if (const auto intended = pacer_.take(now)) place = begin(*intended, now);
  }
  if (!place) return std::nullopt;
  send(*place, now, out);
  return *place;
}

MonotonicUs TipStream::dueUs() const {
  if (!renewals_.empty() || !repeats_.empty()) return 0;
  return mayStart() ? std::min(retries_.dueUs(), pacer_.nextUs()) : retries_.dueUs();
}

bool TipStream::mayStart() const { return open() < kOpenMost; }

std::uint64_t TipStream::begin(MonotonicUs intendedUs, MonotonicUs now) {
  const auto take = [this] {
    open_.fetch_add(1, std::memory_order_relaxed);
    if (free_.empty()) {
      tips_.emplace_back();
      return std::uint64_t{tips_.size() - 1};
    }
    const auto place = free_.back();
    free_.pop_back();
    return place;
  };
  Tip tip{.traceId = TraceId::make(clock_.now(), ids_),
          .choice = chooser_.next(),
          .intendedUs = intendedUs};
  tip.choice.viewer = seats_[tip.choice.viewer].viewer;
  const auto place = take();
  tips_[place] = tip;
  if (chooser_.chance(plan_.duplicates)) {
    // Sent at once, like a double click: it may overtake the first.
    tip.repeat = true;
    tip.intendedUs = std::max(intendedUs, now);
    const auto repeat = take();
    tips_[repeat] = tip;
    repeats_.push_back(repeat);
  }
  return place;
}

void TipStream::send(std::uint64_t place, MonotonicUs now, std::string& out) {
  auto& tip = tips_[place];
  if (tip.attempts++ == 0) tip.firstSentUs = now;
  const auto& choice = tip.choice;
  body_ = R"({"traceId":")";
  appendHex(body_, tip.traceId);
  body_ += R"(","roomId":)";
  appendNumber(body_, rooms_[choice.room]);
  body_ += R"(,"amount":)";
  appendNumber(body_, choice.amount.value);
  body_ += R"(,"giftId":)";
  appendNumber(body_, choice.giftId);
  body_ += R"(,"count":)";
  appendNumber(body_, choice.count);
  if (choice.message != 0) {
    body_ += R"(,"message":")";
    body_ += messageText(choice.message);
    body_ += '"';
  }
  body_ += '}';
  const auto& viewer = viewers_[choice.viewer];
  const Request request{kTarget, viewer.headers, body_};
  if (plan_.sign) {
    const TraceId nonce{ids_.bits(), ids_.bits()};
    appendSignedPost(out, request, {viewer.signingKey, clock_.now().us / kUsPerMs, nonce});
  } else {
    appendPost(out, request);
  }
  const std::scoped_lock lock(mutex_);
  ++tally_.sent;
}

void TipStream::answered(Ticket ticket, const Answer& answer, MonotonicUs now) {
  if ((ticket & kRenewal) != 0) {
    --renewalsInFlight_;
    renewed(static_cast<std::uint32_t>(ticket), answer);
    return;
  }
  auto& tip = tips_[ticket];
  if (answer.status == 201) return end(ticket, End::created, now);
  if (answer.status == 200) return end(ticket, End::exists, now);
  if (refused(answer)) return refusedFor(ticket, waitUs(answer), now);
  if (answer.status >= 500) {
    tip.maybeWritten = true;
    {
      const std::scoped_lock lock(mutex_);
      ++tally_.serverErrors;
    }
    return tryLater(ticket, backOffUs(tip.attempts), now);
  }
  rejected(ticket, answer, now);
}

void TipStream::refusedFor(std::uint64_t place, MonotonicUs delayUs, MonotonicUs now) {
  {
    const std::scoped_lock lock(mutex_);
    ++tally_.refusals;
  }
  const auto& tip = tips_[place];
  if (!tip.maybeWritten && now - tip.firstSentUs > kRefusedMostUs) {
    return end(place, End::unavailable, now);
  }
  tryLater(place, delayUs, now);
}

void TipStream::rejected(std::uint64_t place, const Answer& answer, MonotonicUs now) {
  const auto& tip = tips_[place];
  const auto code = codeOf(answer);
  if (answer.status == 422 && code == "trace_id_conflict") return end(place, End::conflict, now);
  if (answer.status == 401 && code == "unauthenticated") {
    renewSoon(tip.choice.viewer);
    const bool mayLogIn = !viewers_[tip.choice.viewer].name.empty();
    if (mayLogIn && now - tip.firstSentUs <= kRefusedMostUs) {
      return tryLater(place, kUntilRenewedUs, now);
    }
  }
  {
    const std::scoped_lock lock(mutex_);
    ++tally_.rejections[std::to_string(answer.status) + " " + std::string(code)];
  }
  end(place, End::rejected, now);
}

void TipStream::lost(Ticket ticket, Loss loss, MonotonicUs now) {
  if ((ticket & kRenewal) != 0) {
    --renewalsInFlight_;
    seats_[static_cast<std::uint32_t>(ticket)].renewing = false;
    return;
  }
  {
    const std::scoped_lock lock(mutex_);
    ++(loss == Loss::broken ? tally_.broken : tally_.timedOut);
  }
  auto& tip = tips_[ticket];
  tip.maybeWritten = true;
  tryLater(ticket, backOffUs(tip.attempts), now);
}

void TipStream::tryLater(std::uint64_t place, MonotonicUs delayUs, MonotonicUs now) {
  if (givenUp_) {
    return end(place, tips_[place].maybeWritten ? End::unknown : End::unavailable, now);
  }
  retries_.add(now + delayUs, place);
}

void TipStream::end(std::uint64_t place, End how, MonotonicUs now) {
  const auto& tip = tips_[place];
  const bool acknowledged = how == End::created || how == End::exists;
  const bool doubtful = how == End::rejected && tip.maybeWritten;
  if ((acknowledged && !tip.repeat) || doubtful) {
    record_.add({.traceId = tip.traceId,
                 .amountFen = static_cast<std::int32_t>(tip.choice.amount.value),
                 .viewer = tip.choice.viewer,
                 .doubtful = doubtful});
  }
  {
    const std::scoped_lock lock(mutex_);
    switch (how) {
      case End::created:
        ++tally_.created;
        break;
      case End::exists:
        ++tally_.exists;
        break;
      case End::conflict:
        ++tally_.conflicts;
        break;
      case End::rejected:
        ++tally_.rejected;
        break;
      case End::unavailable:
        ++tally_.unavailable;
        break;
      case End::unknown:
        ++tally_.unknown;
        break;
    }
    if (doubtful) ++tally_.doubtful;
    if (tip.maybeWritten && acknowledged) ++tally_.resolved;
    if (acknowledged && now >= plan_.measureFromUs && now < endUs_) {
      ++tally_.measured;
      if (tip.repeat) ++tally_.measuredRepeats;
    }
    if (acknowledged && tip.intendedUs >= plan_.measureFromUs) {
      tally_.latency.record(Histogram::Value{now - tip.intendedUs});
    }
  }
  free_.push_back(place);
  open_.fetch_sub(1, std::memory_order_relaxed);
}

void TipStream::take(Tally& into) {
  const std::scoped_lock lock(mutex_);
  std::swap(tally_, into);
}

bool TipStream::done(MonotonicUs now) {
  if (stopAsked_.load(std::memory_order_relaxed) && now < endUs_) {
    endUs_ = now;
    pacer_.stop(now);
  }
  if (!lastStartUs_) {
    // While nothing can be sent nobody takes starts; those too late are dropped all the same.
    pacer_.expire(now);
    if (pacer_.nextUs() == kNever) lastStartUs_ = now;
  }
  waiting_.store(pacer_.waiting(now - kOverdueUs), std::memory_order_relaxed);
  if (pacer_.dropped() != droppedTold_) {
    const std::scoped_lock lock(mutex_);
    tally_.dropped += pacer_.dropped() - std::exchange(droppedTold_, pacer_.dropped());
  }
  if (!lastStartUs_) return false;
  if (!givenUp_ && now - *lastStartUs_ > kResolveMostUs) {
    givenUp_ = true;
    while (const auto place = retries_.take(kNever)) tryLater(*place, 0, now);
    for (const auto place : std::exchange(repeats_, {})) tryLater(place, 0, now);
  }
  return open() == 0 && renewalsInFlight_ == 0;
}

void TipStream::lookForRenewals(MonotonicUs now) {
  nextRenewalLookUs_ = now + kRenewalLookUs;
  if (lastStartUs_) return;
  const auto wall = clock_.now();
  for (std::uint32_t place = 0; place < seats_.size(); ++place) {
    auto& seat = seats_[place];
    if (seat.renewing || wall < seat.renewAt) continue;
    seat.renewing = true;
    seat.renewAt = wall + kRenewAgain;
    renewals_.push_back(place);
  }
}

void TipStream::sendRenewal(std::uint32_t seat, std::string& out) {
  ++renewalsInFlight_;
  const auto& name = viewers_[seats_[seat].viewer].name;
  const auto headers = senderHeaders(plan_.url, {});
  if (name.empty()) {
    appendPost(out, {"/api/v1/viewers/guests", headers, "{}"});
  } else {
    const auto body = loginBody(PrincipalKind::viewer, name, plan_.password);
    appendPost(out, {"/api/v1/auth/login", headers, body});
  }
}

void TipStream::renewed(std::uint32_t place, const Answer& answer) {
  auto& seat = seats_[place];
  seat.renewing = false;
  if (answer.status != 200 && answer.status != 201) return;
  auto session = readSession(answer.body);
  if (!session) return;
  seat.renewAt = renewAtOf(session->expiresAt, clock_.now());
  auto name = viewers_[seat.viewer].name;
  const bool isGuest = name.empty();
  auto viewer = makeViewer(plan_.url, std::move(name), std::move(*session));
  if (isGuest) {
    // Another guest takes the seat; what the last one gave stays to be looked up with that token.
    seat.viewer = static_cast<std::uint32_t>(viewers_.size());
    viewers_.push_back(std::move(viewer));
  } else {
    viewers_[seat.viewer] = std::move(viewer);
  }
}

void TipStream::renewSoon(std::uint32_t viewer) {
  const auto wall = clock_.now();
  for (auto& seat : seats_) {
    // Not when it was renewed a moment ago, or is about to be: renewAt then lies close ahead.
    if (seat.viewer == viewer && seat.renewAt > wall + kRenewAgain) seat.renewAt = wall;
  }
}

}  // namespace tipflow::load
