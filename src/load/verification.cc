#include "load/verification.h"

#include <fmt/format.h>

#include <algorithm>

namespace tipflow::load {
namespace {

constexpr std::size_t kExamplesMost = 10;
// Reads may come from a replica a little behind: absent means absent in each of several looks.
constexpr int kAbsentLooks = 4;
constexpr MonotonicUs kBetweenLooksUs = 1'000'000;
constexpr MonotonicUs kTryAgainUs = 200'000;
// Not one tip could be looked up in this time: the node does not come back.
constexpr MonotonicUs kPatienceUs = 60'000'000;

}  // namespace

void Findings::add(const Findings& other) {
  there += other.there;
  missing += other.missing;
  different += other.different;
  unchecked += other.unchecked;
  notKept += other.notKept;
  notSampled += other.notSampled;
  doubtfulThere += other.doubtfulThere;
  doubtfulAbsent += other.doubtfulAbsent;
  writtenAfterAll.insert(writtenAfterAll.end(), other.writtenAfterAll.begin(),
                         other.writtenAfterAll.end());
  for (const auto& text : other.examples) {
    if (examples.size() < kExamplesMost) examples.push_back(text);
  }
}

Verification::Verification(const LookUps& what, MonotonicUs now)
    : what_(what),
      sampled_(std::min(what.sampleMost, what.record.size())),
      random_(what.seed),
      lastConclusionUs_(now) {}

Verification::Wanted Verification::wanted(Ticket ticket) const {
  if (ticket < what_.record.size()) {
    const auto& tip = what_.record.at(ticket);
    return {tip.traceId, tip.amountFen, tip.viewer, false};
  }
  const auto& tip = what_.doubtful[ticket - what_.record.size()];
  return {tip.traceId, tip.amountFen, tip.viewer, true};
}

// The sample takes one tip by chance from each of as many equal stretches of the record.
Ticket Verification::ticketOf(std::size_t index) {
  const auto size = what_.record.size();
  if (index >= sampled_) return size + index - sampled_;
  const auto first = index * size / sampled_;
  const auto end = (index + 1) * size / sampled_;
  return first + random_.below(end - first);
}

std::optional<Ticket> Verification::next(MonotonicUs now, std::string& out) {
  std::optional<Ticket> ticket = retries_.take(now);
  if (!ticket && next_ < total()) ticket = ticketOf(next_++);
  if (!ticket) return std::nullopt;
  const auto tip = wanted(*ticket);
  target_ = "/api/v1/tips/";
  appendHex(target_, tip.traceId);
  const auto& reader = what_.reader != nullptr ? *what_.reader : what_.senders[tip.viewer];
  appendGet(out, {target_, reader.headers, {}});
  return ticket;
}

MonotonicUs Verification::dueUs() const { return next_ < total() ? 0 : retries_.dueUs(); }

void Verification::answered(Ticket ticket, const Answer& answer, MonotonicUs now) {
  if (answer.status == 200) return found(ticket, answer, now);
  if (refused(answer)) return retries_.add(now + waitUs(answer), ticket);
  if (answer.status >= 500) return retries_.add(now + kTryAgainUs, ticket);
  const auto tip = wanted(ticket);
  if (answer.status != 404) {
    example(tip, describe("could not be checked: GET", answer));
    return conclude(findings_.unchecked, now);
  }
  if (++absentLooks_[ticket] < kAbsentLooks) return retries_.add(now + kBetweenLooksUs, ticket);
  if (tip.doubtful) return conclude(findings_.doubtfulAbsent, now);
  example(tip, "is missing");
  conclude(findings_.missing, now);
}

void Verification::found(Ticket ticket, const Answer& answer, MonotonicUs now) {
  const auto tip = wanted(ticket);
  const auto shown = textMember(answer.body, "traceId");
  const bool sameId = shown && TraceId::parse(*shown) == tip.traceId;
  const auto amount = integerMember(answer.body, "amount").value_or(0);
  const auto viewer = integerMember(answer.body, "viewerId").value_or(0);
  const auto& sender = what_.senders[tip.viewer];
  if (!sameId || amount != tip.amountFen || viewer != sender.id) {
    example(tip,
            fmt::format("differs: {} fen from viewer {} was sent, {} fen from viewer {} is there",
                        tip.amountFen, sender.id, amount, viewer));
    return conclude(findings_.different, now);
  }
  if (tip.doubtful) {
    findings_.writtenAfterAll.push_back(what_.doubtful[ticket - what_.record.size()]);
  }
  conclude(tip.doubtful ? findings_.doubtfulThere : findings_.there, now);
}

void Verification::lost(Ticket ticket, Loss, MonotonicUs now) {
  retries_.add(now + kTryAgainUs, ticket);
}

void Verification::conclude(std::uint64_t& count, MonotonicUs now) {
  ++count;
  lastConclusionUs_ = now;
  finished_.fetch_add(1, std::memory_order_relaxed);
}

void Verification::example(const Wanted& tip, const std::string& what) {
  if (findings_.examples.size() < kExamplesMost) {
    findings_.examples.push_back(tip.traceId.hex() + " " + what);
  }
}

bool Verification::done(MonotonicUs now) {
  return finished() == total() || now - lastConclusionUs_ > kPatienceUs;
}

Findings Verification::findings() const {
  auto findings = findings_;
  findings.notKept = what_.record.added() - what_.record.size();
  findings.notSampled = what_.record.size() - sampled_;
  findings.unchecked += total() - finished();
  return findings;
}

}  // namespace tipflow::load
