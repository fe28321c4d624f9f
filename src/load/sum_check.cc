#include "load/sum_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tipflow::load {
namespace {

constexpr MonotonicUs kAskAgainUs = 500'000;
constexpr std::size_t kRoomsNamed = 5;

SumOutcome compare(const Sums& held, const Sums& acknowledged) {
  if (held == acknowledged) return SumOutcome::equal;
  const bool less = held.amountFen < acknowledged.amountFen || held.tips < acknowledged.tips;
  return less ? SumOutcome::less : SumOutcome::more;
}

}  // namespace

std::string_view word(SumOutcome outcome) {
  switch (outcome) {
    case SumOutcome::equal:
      return "equal";
    case SumOutcome::less:
      return "less";
    case SumOutcome::more:
      return "more";
    case SumOutcome::unavailable:
      return "unavailable";
  }
  return "unavailable";
}

SumCheck::SumCheck(SumPlan plan, MonotonicUs now)
    : plan_(std::move(plan)), endUs_(now + plan_.patienceUs), held_(plan_.rooms.size()) {
  for (const auto& sums : plan_.acknowledged) total_.add(sums);
  for (Ticket room = 0; room < plan_.rooms.size(); ++room) {
    if (plan_.rooms[room].revenueBefore) toAsk_.add(now, room);
  }
  if (plan_.booksBefore) toAsk_.add(now, booksTicket());
}

std::optional<Ticket> SumCheck::next(MonotonicUs now, std::string& out) {
  const auto ticket = toAsk_.take(now);
  if (!ticket) return std::nullopt;
  ++open_;
  if (*ticket == booksTicket()) {
    appendGet(out, {"/api/v1/finance/reconciliation", plan_.operatorHeaders, {}});
  } else {
    const auto target = fmt::format("/api/v1/rooms/{}", plan_.rooms[*ticket].id);
    appendGet(out, {target, plan_.readerHeaders, {}});
  }
  return ticket;
}

MonotonicUs SumCheck::dueUs() const { return toAsk_.dueUs(); }

void SumCheck::answered(Ticket ticket, const Answer& answer, MonotonicUs now) {
  --open_;
  if (answer.status != 200) {
    trouble_ = describe(ticket == booksTicket() ? "GET /finance/reconciliation" : "GET /rooms/{id}",
                        answer);
    if (answer.status >= 429) askAgain(ticket, now);
    return;
  }
  if (ticket == booksTicket()) {
    if (const auto books = readBooks(answer.body)) {
      booksHeld_ = Sums{books->tips - std::min(books->tips, plan_.booksBefore->tips),
                        books->amountFen - plan_.booksBefore->amountFen};
    }
    if (!booksHeld_ || compare(*booksHeld_, total_) == SumOutcome::less) askAgain(ticket, now);
    return;
  }
  const auto revenue = integerMember(answer.body, "revenue");
  if (revenue) held_[ticket] = *revenue - *plan_.rooms[ticket].revenueBefore;
  // What is too much does not become less by waiting.
  if (!held_[ticket] || *held_[ticket] < plan_.acknowledged[ticket].amountFen) {
    askAgain(ticket, now);
  }
}

void SumCheck::lost(Ticket ticket, Loss, MonotonicUs now) {
  --open_;
  trouble_ = "no answer";
  askAgain(ticket, now);
}

void SumCheck::askAgain(Ticket ticket, MonotonicUs now) {
  if (now + kAskAgainUs < endUs_) toAsk_.add(now + kAskAgainUs, ticket);
}

bool SumCheck::done(MonotonicUs now) {
  // An answer that is under way at the end is still waited for, as long as a request may take.
  constexpr MonotonicUs kAnswerUs = 12'000'000;
  return (open_ == 0 && toAsk_.empty()) || now > endUs_ + kAnswerUs;
}

SumFindings SumCheck::findings() const {
  return {roomFinding(), plan_.booksBefore ? std::optional(booksFinding()) : std::nullopt};
}

SumFinding SumCheck::booksFinding() const {
  if (!booksHeld_) return {.acknowledged = total_, .detail = trouble_};
  return {compare(*booksHeld_, total_), total_, *booksHeld_, {}};
}

SumFinding SumCheck::roomFinding() const {
  SumFinding finding{.outcome = SumOutcome::equal, .acknowledged = total_};
  std::size_t named = 0;
  for (std::size_t room = 0; room < held_.size(); ++room) {
    if (!held_[room]) {
      return {.acknowledged = total_,
              .detail = fmt::format("room {} does not say what it received{}{}",
                                    plan_.rooms[room].id, trouble_.empty() ? "" : ": ", trouble_)};
    }
    finding.held.amountFen += *held_[room];
    const auto outcome = compare({0, *held_[room]}, {0, plan_.acknowledged[room].amountFen});
    if (outcome == SumOutcome::equal) continue;
    // One room with less is a loss, whatever the others have more.
    if (finding.outcome != SumOutcome::less) finding.outcome = outcome;
    if (named++ < kRoomsNamed) {
      finding.detail +=
          fmt::format("{}room {}: {} fen of {}", named > 1 ? "; " : "", plan_.rooms[room].id,
                      *held_[room], plan_.acknowledged[room].amountFen);
    }
  }
  return finding;
}

}  // namespace tipflow::load
