#include "load/verification.h"

#include <fmt/format.h>

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
  doubtfulThere += other.doubtfulThere;
  doubtfulAbsent += other.doubtfulAbsent;
  for (const auto& text : other.examples) {
    if (examples.size() < kExamplesMost) examples.push_back(text);
  }
}

Verification::Verification(const Record& record, const std::vector<Viewer>& viewers,
                           MonotonicUs now)
    : record_(record), viewers_(viewers), lastConclusionUs_(now) {}

std::optional<Ticket> Verification::next(MonotonicUs now, std::string& out) {
  std::optional<Ticket> place = retries_.take(now);
  if (!place && next_ < record_.size()) place = next_++;
  if (!place) return std::nullopt;
  const auto& tip = record_.at(*place);
  thread_local std::string target;
  target = "/api/v1/tips/";
  appendHex(target, tip.traceId);
  appendGet(out, {target, viewers_[tip.viewer].headers, {}});
  return place;
}

MonotonicUs Verification::dueUs() const { return next_ < record_.size() ? 0 : retries_.dueUs(); }

void Verification::answered(Ticket ticket, const Answer& answer, MonotonicUs now) {
  const auto& tip = record_.at(ticket);
  if (answer.status == 200) return found(tip, answer, now);
  if (refused(answer)) return retries_.add(now + waitUs(answer), ticket);
  if (answer.status >= 500) return retries_.add(now + kTryAgainUs, ticket);
  if (answer.status != 404) {
    example(tip, describe("could not be checked: GET", answer));
    return conclude(findings_.unchecked, now);
  }
  if (++absentLooks_[ticket] < kAbsentLooks) return retries_.add(now + kBetweenLooksUs, ticket);
  if (tip.doubtful) return conclude(findings_.doubtfulAbsent, now);
  example(tip, "is missing");
  conclude(findings_.missing, now);
}

void Verification::found(const Acknowledged& tip, const Answer& answer, MonotonicUs now) {
  const auto shown = textMember(answer.body, "traceId");
  const bool sameId = shown && TraceId::parse(*shown) == tip.traceId;
  const auto amount = integerMember(answer.body, "amount").value_or(0);
  const auto viewer = integerMember(answer.body, "viewerId").value_or(0);
  const auto& sender = viewers_[tip.viewer];
  if (!sameId || amount != tip.amountFen || viewer != sender.id) {
    example(tip,
            fmt::format("differs: {} fen from viewer {} was sent, {} fen from viewer {} is there",
                        tip.amountFen, sender.id, amount, viewer));
    return conclude(findings_.different, now);
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

void Verification::example(const Acknowledged& tip, const std::string& what) {
  if (findings_.examples.size() < kExamplesMost) {
    findings_.examples.push_back(tip.traceId.hex() + " " + what);
  }
}

bool Verification::done(MonotonicUs now) {
  return finished() == total() || now - lastConclusionUs_ > kPatienceUs;
}

Findings Verification::findings() const {
  auto findings = findings_;
  findings.notKept = record_.added() - record_.size();
  findings.unchecked += total() - finished();
  return findings;
}

}  // namespace tipflow::load
