#include "clients.h"

#include <fmt/format.h>

#include <algorithm>

#include "audience_node.h"
#include "finance_node.h"

namespace tipflow::sim {
namespace {

constexpr Duration kPatience{7'000'000};
constexpr Duration kWithdrawalPatience{15'000'000};
constexpr int kTries = 3;
constexpr int kSlowest = 5;  // up to about 10 s
constexpr std::uint64_t kTipTraces = 0x7100000000000000ULL;
constexpr std::uint64_t kWithdrawalTraces = 0x7200000000000000ULL;

}  // namespace

// Longer each time: those who ask again at once keep an overloaded queue full of what nobody waits
// for any more.
Duration Clients::backOff(int attempt) {
  return Duration{world_.random.between(1'000, 300'000)} * (1 << std::min(attempt, kSlowest));
}

// What a traceId stands for follows from its number, so that repeats agree unless altered.
audit::TipContent Clients::contentOf(const Op& op) const {
  Stream random(world_.plan.seed * 1'000'003 + static_cast<std::uint64_t>(op.trace));
  audit::TipContent content;
  content.viewerId = random.between(1, 8);
  content.roomId = 1'000'000 + random.between(1, world_.settings.anchors);
  content.amount = random.chance(100) ? 100'000'000 : random.between(1, 999);
  content.giftId = static_cast<std::int32_t>(random.between(0, 3));
  content.count = static_cast<std::int32_t>(random.between(1, 9));
  switch (op.content) {
    case 1:
      content.viewerId += 100;
      break;
    case 2:
      content.roomId = 1'000'000 + content.roomId % world_.settings.anchors + 1;
      break;
    case 3:
      ++content.amount;
      break;
    case 4:
      ++content.giftId;
      break;
    case 5:
      ++content.count;
      break;
    default:
      break;
  }
  return content;
}

void Clients::tip(const Op& op) {
  ++waiting_;
  world_.outside->spawn(tipUntilKnown(op));
}

Task<> Clients::tipUntilKnown(Op op) {
  const TraceId traceId{kTipTraces, static_cast<std::uint64_t>(op.trace)};
  const auto content = contentOf(op);
  auto node = static_cast<std::size_t>(op.target);
  for (int attempt = 1;; ++attempt) {
    std::function<Task<TipTold>(AudienceNode&)> request = [traceId, content](AudienceNode& to) {
      return to.give(traceId, content);
    };
    auto asking = world_.ask(world_.outside, world_.audience[node], std::move(request), kPatience);
    const auto heard = co_await asking;
    const TipTold told = heard.reply.value_or(TipTold{});
    if (heard.twice) world_.auditor.tipTold({traceId, content, audit::Told::unknown, 0});
    world_.auditor.tipTold({traceId, content, told.told, told.id.value});
    const bool known = told.told != audit::Told::unknown && told.told != audit::Told::unavailable;
    switch (told.told) {
      case audit::Told::created:
        world_.coverage.add(Met::tipCreated);
        break;
      case audit::Told::exists:
        world_.coverage.add(Met::tipExists);
        break;
      case audit::Told::conflict:
        world_.coverage.add(Met::tipConflict);
        break;
      case audit::Told::refused:
        world_.coverage.add(Met::tipRefused);
        break;
      case audit::Told::unavailable:
        world_.coverage.add(Met::tipUnavailable);
        break;
      case audit::Told::unknown:
        world_.coverage.add(Met::tipUnknown);
        break;
    }
    if (known || (!op.insists && attempt >= kTries)) break;
    // Through any node.
    node = world_.random.below(world_.audience.size());
    auto pause = sleep(world_.outside, backOff(attempt));
    co_await pause;
  }
  --waiting_;
}

void Clients::withdraw(const Op& op) {
  ++waiting_;
  world_.outside->spawn(withdrawUntilKnown(op));
}

Task<> Clients::withdrawUntilKnown(Op op) {
  using Word = WithdrawalTold::Word;
  const finance::WithdrawalRequest asked{{kWithdrawalTraces, static_cast<std::uint64_t>(op.trace)},
                                         AnchorId{op.target},
                                         Fen{op.amount}};
  for (int attempt = 1;; ++attempt) {
    auto& to = world_.finance[world_.random.below(world_.finance.size())];
    std::function<Task<WithdrawalTold>(FinanceNode&)> request = [asked](FinanceNode& node) {
      return node.withdraw(asked);
    };
    auto asking = world_.ask(world_.outside, to, std::move(request), kWithdrawalPatience);
    const auto heard = co_await asking;
    const WithdrawalTold told = heard.reply.value_or(WithdrawalTold{});
    world_.auditor.withdrawalTold(asked, told);
    if (told.word == Word::insufficient) world_.coverage.add(Met::withdrawalInsufficient);
    if (told.word == Word::conflict) world_.coverage.add(Met::withdrawalConflict);
    const bool open = told.word == Word::unknown || told.word == Word::unavailable;
    if (!open || (!op.insists && attempt >= kTries)) break;
    auto pause = sleep(world_.outside, backOff(attempt));
    co_await pause;
  }
  --waiting_;
}

void Clients::setRate(const Op& op) {
  ++waiting_;
  world_.outside->spawn(change(op));
}

Task<> Clients::change(Op op) {
  auto& to = world_.finance[world_.random.below(world_.finance.size())];
  const AnchorId anchor{op.target};
  const BasisPoints rate{static_cast<std::int32_t>(op.amount)};
  const Duration fromNow{op.extra * kUsPerMs};
  std::function<Task<std::optional<Time>>(FinanceNode&)> request =
      [anchor, rate, fromNow](FinanceNode& node) { return node.setRate(anchor, rate, fromNow); };
  auto asking = world_.ask(world_.outside, to, std::move(request), kPatience);
  const auto heard = co_await asking;
  if (heard.reply && *heard.reply) {
    world_.coverage.add(Met::rateChanged);
    if (!world_.faultsOver) world_.coverage.add(Met::rateMidTraffic);
  }
  --waiting_;
}

}  // namespace tipflow::sim
