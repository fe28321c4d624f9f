#include "load/watch/tips.h"

#include <fmt/format.h>

#include "load/watch/feed.h"

namespace tipflow::load::watch {
namespace {

constexpr std::string_view kTarget = "/api/v1/tips";
constexpr std::uint64_t kAmountMost = 9'999;

}  // namespace

Tips::Tips(const TipsPlan& plan, const std::vector<Room>& rooms, const std::vector<Sender>& senders,
           Shared& shared, const Clock& clock, Random& ids)
    : plan_(plan),
      rooms_(rooms),
      senders_(senders),
      shared_(shared),
      clock_(clock),
      ids_(ids),
      random_(plan.seed),
      zipf_(rooms.size(), plan.roomExponent) {}

MonotonicUs Tips::nextStartUs() const {
  if (stopped_ || plan_.perSecond <= 0 || plan_.first + sent_ >= shared_.tipsMost()) return kNever;
  const auto at =
      plan_.startUs + static_cast<MonotonicUs>(static_cast<double>(sent_) * 1e6 / plan_.perSecond);
  return at < plan_.endUs ? at : kNever;
}

MonotonicUs Tips::dueUs() const { return std::min(nextStartUs(), again_.dueUs()); }

std::optional<Ticket> Tips::next(MonotonicUs now, std::string& out) {
  auto ticket = again_.take(now);
  if (!ticket && nextStartUs() <= now) ticket = begin(now);
  if (!ticket) return std::nullopt;
  append(out, open_.at(*ticket));
  return ticket;
}

Ticket Tips::begin(MonotonicUs now) {
  const auto number = plan_.first + static_cast<std::uint32_t>(sent_++);
  const auto room = zipf_.place(random_.bits());
  auto& shared = shared_.tip(number);
  shared.amountFen = static_cast<std::int64_t>(1 + random_.below(kAmountMost));
  shared.room = static_cast<std::uint32_t>(room);
  shared.sentUs = now;
  shared.timed = plan_.timed;
  shared.state.store(TipState::sent, std::memory_order_release);
  auto& tip = open_[number];
  tip.sender = random_.below(senders_.size());
  tip.traceId = TraceId::make(clock_.now(), ids_);
  tip.body = R"({"traceId":")";
  appendHex(tip.body, tip.traceId);
  tip.body += fmt::format(R"(","roomId":{},"amount":{},"message":"{}"}})", rooms_[room].id,
                          shared.amountFen, tipMessage(number));
  return number;
}

void Tips::append(std::string& out, Open& tip) {
  ++tip.attempts;
  const auto& sender = senders_[tip.sender];
  const Request request{kTarget, sender.headers, tip.body};
  if (!plan_.sign) return appendPost(out, request);
  // Of a tip the nonce is not remembered: its traceId does for one.
  const Stamp stamp{sender.signingKey, clock_.now().us / kUsPerMs, tip.traceId};
  appendSignedPost(out, request, stamp);
}

void Tips::answered(Ticket ticket, const Answer& answer, MonotonicUs now) {
  if (answer.status == 201 || answer.status == 200) return finish(ticket, TipState::acknowledged);
  if (refused(answer) || answer.status >= 500) {
    const auto wait = refused(answer) ? waitUs(answer) : backOffUs(open_.at(ticket).attempts);
    return again_.add(now + wait, ticket);
  }
  ++refusals_[describe("POST /api/v1/tips", answer)];
  finish(ticket, TipState::refused);
}

void Tips::lost(Ticket ticket, Loss, MonotonicUs now) {
  again_.add(now + backOffUs(open_.at(ticket).attempts), ticket);
}

void Tips::unreachable(std::string_view, MonotonicUs) {}

void Tips::finish(Ticket ticket, TipState state) {
  shared_.tip(ticket).state.store(state, std::memory_order_release);
  open_.erase(ticket);
}

bool Tips::done(MonotonicUs now) {
  if (now >= plan_.endUs + plan_.resolveMostUs) return true;
  // What could not be started in time is not made up for.
  return open_.empty() && (stopped_ || now >= plan_.endUs);
}

}  // namespace tipflow::load::watch
