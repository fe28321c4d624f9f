#include "load/tip_stream.h"

#include <algorithm>
#include <utility>

namespace tipflow::load {
namespace {

constexpr std::string_view kTarget = "/api/v1/tips";
constexpr std::string_view kBatchTarget = "/api/v1/tips/batch";
constexpr Ticket kRenewal = Ticket{1} << 63;

// A refused tip is not written; after this long it is given up, as a viewer would.
constexpr MonotonicUs kRefusedMostUs = 10'000'000;
// Later than this, a start is shown as waiting.
constexpr MonotonicUs kOverdueUs = 100'000;
// Later than this, a start that is made counts as late.
constexpr MonotonicUs kLateUs = 10'000;
// More open tips than this and no new ones are begun: they wait in the schedule.
constexpr std::size_t kOpenMost = 100'000;
constexpr MonotonicUs kUntilRenewedUs = 1'000'000;

std::string_view codeOf(const Answer& answer) {
  return textMember(answer.body, "code").value_or("without a code");
}

// The viewers' seats, and after them the operator's.
Seats seatsOf(const TipPlan& plan, Population& population, const Clock& clock) {
  const auto viewers = population.viewers.size();
  auto senders = std::move(population.viewers);
  if (population.operator_) senders.push_back(*std::move(population.operator_));
  return {plan.url, plan.passwords, std::move(senders), plan.inBatches ? viewers : 0, clock};
}

}  // namespace

TipStream::TipStream(TipPlan plan, Population population, const Clock& clock, Random& ids)
    : plan_(std::move(plan)),
      rooms_(std::move(population.rooms)),
      operatorSeat_(static_cast<std::uint32_t>(population.viewers.size())),
      clock_(clock),
      ids_(ids),
      chooser_({.rooms = rooms_.size(),
                .viewers = population.viewers.size(),
                .roomExponent = plan_.roomExponent,
                .viewerExponent = plan_.viewerExponent,
                .taste = plan_.taste},
               plan_.seed),
      seats_(seatsOf(plan_, population, clock)),
      pacer_(plan_.pace),
      endUs_(plan_.pace.endUs),
      tipsLeft_(plan_.tipsMost),
      record_(plan_.recordMost),
      roomSums_(rooms_.size()),
      journal_(plan_.journal) {}

std::optional<Ticket> TipStream::next(MonotonicUs now, std::string& out) {
  if (!lastStartUs_) seats_.look(now);
  if (const auto seat = seats_.next(out)) return kRenewal | *seat;
  if (const auto again = retries_.take(now)) {
    send(static_cast<std::uint32_t>(*again), now, out);
    return *again;
  }
  std::optional<std::uint32_t> slot;
  if (!repeats_.empty()) {
    slot = repeats_.front();
    repeats_.pop_front();
  } else if (mayStart()) {
    if (const auto intended = pacer_.take(now)) slot = begin(*intended, now);
  }
  if (!slot) return std::nullopt;
  send(*slot, now, out);
  return *slot;
}

MonotonicUs TipStream::dueUs() const {
  if (seats_.due() || !repeats_.empty()) return 0;
  return mayStart() ? std::min(retries_.dueUs(), pacer_.nextUs()) : retries_.dueUs();
}

bool TipStream::mayStart() const { return open() < kOpenMost && tipsLeft_ > 0; }

std::uint32_t TipStream::takeSlot(std::uint32_t count) {
  open_.fetch_add(count, std::memory_order_relaxed);
  std::uint32_t slot = 0;
  if (free_.empty()) {
    slot = static_cast<std::uint32_t>(parcels_.size());
    parcels_.emplace_back();
    tips_.resize(tips_.size() + plan_.batch);
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  parcels_[slot] = {.count = count, .open = count};
  return slot;
}

std::uint32_t TipStream::begin(MonotonicUs intendedUs, MonotonicUs now) {
  const auto count = static_cast<std::uint32_t>(std::min<std::uint64_t>(plan_.batch, tipsLeft_));
  tipsLeft_ -= count;
  const auto slot = takeSlot(count);
  parcels_[slot].intendedUs = intendedUs;
  const auto wall = clock_.now();
  for (std::uint32_t k = 0; k < count; ++k) {
    const auto id =
        plan_.randomTraceIds ? TraceId{ids_.bits(), ids_.bits()} : TraceId::make(wall, ids_);
    Tip tip{.traceId = id, .choice = chooser_.next()};
    tip.choice.viewer = seats_.at(tip.choice.viewer);
    tipsOf(slot)[k] = tip;
  }
  if (chooser_.chance(plan_.duplicates)) beginRepeat(slot, now);
  return slot;
}

// The second sending: at once, like a double click, so that it may overtake the first, or within
// some time. The first still has its connection, so at once is always by another one.
void TipStream::beginRepeat(std::uint32_t first, MonotonicUs now) {
  const auto slot = takeSlot(parcels_[first].count);
  std::copy_n(tipsOf(first), parcels_[first].count, tipsOf(slot));
  parcels_[first].other = slot;
  parcels_[slot].other = first;
  parcels_[slot].repeat = true;
  parcels_[slot].intendedUs = std::max(parcels_[first].intendedUs, now);
  if (plan_.duplicatesWithinUs == 0) {
    repeats_.push_back(slot);
    return;
  }
  parcels_[slot].intendedUs += static_cast<MonotonicUs>(
      chooser_.below(static_cast<std::uint64_t>(plan_.duplicatesWithinUs)));
  retries_.add(parcels_[slot].intendedUs, slot);
}

void TipStream::writeBody(const Parcel& parcel, const Tip* tips) {
  if (!plan_.inBatches) {
    body_.clear();
    appendTip(body_, tips->traceId, tips->choice, rooms_[tips->choice.room].id, std::nullopt);
    return;
  }
  body_ = R"({"tips":[)";
  for (std::uint32_t k = 0; k < parcel.count; ++k) {
    if (tips[k].ended) continue;
    appendTip(body_, tips[k].traceId, tips[k].choice, rooms_[tips[k].choice.room].id,
              seats_.sender(tips[k].choice.viewer).id);
    body_ += ',';
  }
  body_.back() = ']';
  body_ += '}';
}

std::uint32_t TipStream::senderOf(std::uint32_t slot) {
  return plan_.inBatches ? seats_.at(operatorSeat_) : tipsOf(slot)->choice.viewer;
}

void TipStream::send(std::uint32_t slot, MonotonicUs now, std::string& out) {
  auto& parcel = parcels_[slot];
  const Tip* tips = tipsOf(slot);
  const bool first = parcel.attempts++ == 0;
  if (first) parcel.firstSentUs = now;
  parcel.sentUs = now;
  writeBody(parcel, tips);
  const auto& sender = seats_.sender(senderOf(slot));
  const Request request{plan_.inBatches ? kBatchTarget : kTarget, sender.headers, body_};
  if (plan_.sign) {
    // The traceId is the nonce of a tip: a replay of it is answered `exists`.
    appendSignedPost(out, request, {sender.signingKey, clock_.now().us / kUsPerMs, tips->traceId});
  } else {
    appendPost(out, request);
  }
  const std::scoped_lock lock(mutex_);
  ++tally_.sent;
  if (first && !parcel.repeat && now - parcel.intendedUs > kLateUs) {
    tally_.late += parcel.count;
  }
}

template <class Do>
void TipStream::eachOpen(std::uint32_t slot, Do&& perTip) {
  Tip* const tips = tipsOf(slot);
  for (std::uint32_t k = 0; k < parcels_[slot].count; ++k) {
    if (!tips[k].ended) perTip(tips[k]);
  }
}

void TipStream::answered(Ticket ticket, const Answer& answer, MonotonicUs now) {
  if ((ticket & kRenewal) != 0) {
    return seats_.answered(static_cast<std::uint32_t>(ticket), answer);
  }
  const auto slot = static_cast<std::uint32_t>(ticket);
  const std::scoped_lock lock(mutex_);
  ++tally_.statuses[answer.status];
  if (refused(answer)) {
    ++tally_.refusals;
    onRefusal(slot, waitUs(answer), now);
  } else if (answer.status >= 500) {
    ++tally_.serverErrors;
    leaveOpen(slot);
    tryLater(slot, backOffUs(parcels_[slot].attempts), now);
  } else if (answer.status >= 300) {
    onRejection(slot, answer, now);
  } else if (plan_.inBatches) {
    onBatch(slot, answer, now);
  } else {
    const auto tipId = journal_.wanted() ? integerMember(answer.body, "tipId").value_or(0) : 0;
    endAll(slot, answer.status == 201 ? End::created : End::exists, tipId, now);
  }
}

void TipStream::lost(Ticket ticket, Loss loss, MonotonicUs now) {
  if ((ticket & kRenewal) != 0) return seats_.lost(static_cast<std::uint32_t>(ticket));
  const auto slot = static_cast<std::uint32_t>(ticket);
  const std::scoped_lock lock(mutex_);
  leaveOpen(slot);
  if (loss == Loss::stale) {
    ++tally_.stale;
    return tryLater(slot, 0, now);
  }
  ++(loss == Loss::broken ? tally_.broken : tally_.timedOut);
  tryLater(slot, backOffUs(parcels_[slot].attempts), now);
}

void TipStream::leaveOpen(std::uint32_t slot) {
  eachOpen(slot, [](Tip& tip) { tip.maybeWritten = true; });
}

void TipStream::onRefusal(std::uint32_t slot, MonotonicUs delayUs, MonotonicUs now) {
  if (now - parcels_[slot].firstSentUs > kRefusedMostUs) {
    eachOpen(slot, [&](Tip& tip) {
      if (!tip.maybeWritten) endTip(slot, tip, End::unavailable, 0, now);
    });
  }
  tryLater(slot, delayUs, now);
}

void TipStream::onRejection(std::uint32_t slot, const Answer& answer, MonotonicUs now) {
  const auto code = codeOf(answer);
  if (answer.status == 401 && code == "unauthenticated") {
    const auto place = senderOf(slot);
    seats_.renewSoon(place);
    const bool mayLogIn = !seats_.sender(place).name.empty();
    if (mayLogIn && now - parcels_[slot].firstSentUs <= kRefusedMostUs) {
      return tryLater(slot, kUntilRenewedUs, now);
    }
  }
  eachOpen(slot, [&](Tip& tip) { rejectTip(slot, tip, answer.status, code, now); });
  finish(slot);
}

void TipStream::rejectTip(std::uint32_t slot, Tip& tip, int status, std::string_view code,
                          MonotonicUs now) {
  if (code == "trace_id_conflict") return endTip(slot, tip, End::conflict, 0, now);
  ++tally_.rejections[std::to_string(status) + " " + std::string(code)];
  endTip(slot, tip, End::rejected, 0, now);
}

void TipStream::onBatch(std::uint32_t slot, const Answer& answer, MonotonicUs now) {
  results_.clear();
  BatchResults results(answer.body);
  while (const auto result = results.next()) results_.push_back(*result);
  auto result = results_.begin();
  bool fits = results_.size() == parcels_[slot].open;
  if (fits) eachOpen(slot, [&](Tip& tip) { fits = fits && (result++)->traceId == tip.traceId; });
  if (!fits) {  // not an answer to what was asked: nothing is known by it
    ++tally_.serverErrors;
    leaveOpen(slot);
    return tryLater(slot, backOffUs(parcels_[slot].attempts), now);
  }
  const bool patient = now - parcels_[slot].firstSentUs <= kRefusedMostUs;
  result = results_.begin();
  eachOpen(slot, [&](Tip& tip) {
    const auto& [_, status, code, tipId] = *result++;
    if (status == "created") return endTip(slot, tip, End::created, tipId, now);
    if (status == "exists") return endTip(slot, tip, End::exists, tipId, now);
    if (code == "outcome_unknown") {
      tip.maybeWritten = true;
    } else if (code != "unavailable" && code != "overloaded") {
      rejectTip(slot, tip, answer.status, code, now);
    } else if (!patient && !tip.maybeWritten) {
      endTip(slot, tip, End::unavailable, 0, now);
    }
  });
  tryLater(slot, backOffUs(parcels_[slot].attempts), now);
}

// What is left of the parcel is sent again, unless nothing is left or the time for it is over.
void TipStream::tryLater(std::uint32_t slot, MonotonicUs delayUs, MonotonicUs now) {
  if (givenUp_) {
    eachOpen(slot, [&](Tip& tip) {
      endTip(slot, tip, tip.maybeWritten ? End::unknown : End::unavailable, 0, now);
    });
  }
  if (parcels_[slot].open == 0) return finish(slot);
  retries_.add(now + delayUs, slot);
}

void TipStream::endAll(std::uint32_t slot, End how, std::int64_t tipId, MonotonicUs now) {
  eachOpen(slot, [&](Tip& tip) { endTip(slot, tip, how, tipId, now); });
  finish(slot);
}

void TipStream::finish(std::uint32_t slot) {
  const auto& parcel = parcels_[slot];
  if (parcel.other != kNone) parcels_[parcel.other].other = kNone;
  free_.push_back(slot);
}

void TipStream::endTip(std::uint32_t slot, Tip& tip, End how, std::int64_t tipId, MonotonicUs now) {
  auto& parcel = parcels_[slot];
  const bool isInDoubt = how == End::rejected && tip.maybeWritten;
  count(parcel, how, now);
  if (how != End::unavailable && how != End::unknown && tip.maybeWritten && !isInDoubt) {
    ++tally_.resolved;
  }
  if (journal_.wanted()) {
    journal_.add({.traceId = tip.traceId,
                  .viewerId = seats_.sender(tip.choice.viewer).id,
                  .roomId = rooms_[tip.choice.room].id,
                  .outcome = outcomeOf(isInDoubt ? End::unknown : how),
                  .tipId = tipId},
                 tip.choice);
  }
  keep(slot, tip, how);
  tip.ended = true;
  --parcel.open;
  if (!parcel.repeat) lastEndUs_ = now;
  open_.fetch_sub(1, std::memory_order_relaxed);
}

void TipStream::count(const Parcel& parcel, End how, MonotonicUs now) {
  switch (how) {
    case End::created:
      ++tally_.created;
      break;
    case End::exists:
      ++tally_.exists;
      break;
    case End::conflict:
      ++tally_.conflicts;
      return;
    case End::rejected:
      ++tally_.rejected;
      return;
    case End::unavailable:
      ++tally_.unavailable;
      return;
    case End::unknown:
      ++tally_.unknown;
      return;
  }
  if (now >= plan_.measureFromUs && now < endUs_) {
    ++tally_.measured;
    if (parcel.repeat) ++tally_.measuredRepeats;
  }
  if (parcel.intendedUs >= plan_.measureFromUs) {
    tally_.latency.record(Histogram::Value{now - parcel.intendedUs});
    tally_.service.record(Histogram::Value{now - parcel.sentUs});
  }
}

// Each traceId is kept once, though it be sent twice: as acknowledged when either sending was, as
// doubtful when neither was and one of them may have been written.
void TipStream::keep(std::uint32_t slot, Tip& tip, End how) {
  if (tip.counted) return;
  const auto otherSlot = parcels_[slot].other;
  Tip* const other = otherSlot == kNone ? nullptr : tipsOf(otherSlot) + (&tip - tipsOf(slot));
  if (how == End::created || how == End::exists) {
    record_.add({.traceId = tip.traceId,
                 .amountFen = static_cast<std::int32_t>(tip.choice.amount.value),
                 .viewer = tip.choice.viewer});
    roomSums_[tip.choice.room].add({1, tip.choice.amount.value});
    if (other != nullptr) other->counted = true;
  } else if (tip.maybeWritten && other != nullptr && !other->ended) {
    other->maybeWritten = true;  // whoever ends last decides
  } else if (tip.maybeWritten && how != End::conflict) {
    ++tally_.doubtful;
    doubtful_.push_back({tip.traceId, tip.choice.amount.value, tip.choice.viewer, tip.choice.room});
  }
}

std::string_view TipStream::outcomeOf(End how) {
  switch (how) {
    case End::created:
      return "created";
    case End::exists:
      return "exists";
    case End::conflict:
      return "conflict";
    case End::rejected:
      return "refused";
    case End::unavailable:
      return "unavailable";
    case End::unknown:
      return "unknown";
  }
  return "unknown";
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
    if (pacer_.nextUs() == kNever || tipsLeft_ == 0) lastStartUs_ = now;
  }
  waiting_.store(tipsLeft_ > 0 ? pacer_.waiting(now - kOverdueUs) * plan_.batch : 0,
                 std::memory_order_relaxed);
  if (pacer_.dropped() != droppedTold_) {
    const std::scoped_lock lock(mutex_);
    tally_.dropped +=
        (pacer_.dropped() - std::exchange(droppedTold_, pacer_.dropped())) * plan_.batch;
  }
  if (!lastStartUs_) return false;
  if (!givenUp_ && now - *lastStartUs_ > plan_.resolveMostUs) {
    givenUp_ = true;
    const std::scoped_lock lock(mutex_);
    while (const auto slot = retries_.take(kNever)) {
      tryLater(static_cast<std::uint32_t>(*slot), 0, now);
    }
    for (const auto slot : std::exchange(repeats_, {})) tryLater(slot, 0, now);
  }
  if (open() != 0 || seats_.underWay()) return false;
  journal_.flush();
  return true;
}

}  // namespace tipflow::load
