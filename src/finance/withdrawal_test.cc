#include "finance/withdrawal.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "base/random.h"
#include "finance/rules.h"

namespace tipflow::finance {
namespace {

constexpr TraceId kTrace{0x0192f3a4b5c67d8e, 0x9fa0b1c2d3e4f506};
constexpr AnchorId kAnna{31};
constexpr Time kNow{1'770'000'000'000'000};

Withdrawal withdrawal(WithdrawalState state = WithdrawalState::pending) {
  return {WithdrawalId{5}, kTrace, kAnna, Fen{1'000}, state, kNow};
}

WithdrawalFlow flow() { return WithdrawalFlow({kTrace, kAnna, Fen{1'000}}); }

template <class S>
bool is(const WithdrawalFlow::Step& step) {
  return std::holds_alternative<S>(step);
}

const Result<Withdrawal>& answerOf(const WithdrawalFlow::Step& step) {
  return std::get<WithdrawalFlow::Answer>(step).result;
}

void expectSame(const Withdrawal& shown, const Withdrawal& expected) {
  EXPECT_EQ(shown.id, expected.id);
  EXPECT_EQ(shown.traceId, expected.traceId);
  EXPECT_EQ(shown.anchor, expected.anchor);
  EXPECT_EQ(shown.amount, expected.amount);
  EXPECT_EQ(shown.state, expected.state);
  EXPECT_EQ(shown.createdAt, expected.createdAt);
}

TEST(Withdrawal, reserves_before_anything_else_and_pays_only_what_was_reserved) {
  EXPECT_TRUE(is<WithdrawalFlow::Reserve>(flow().start()));
  const auto step = flow().onReserved(withdrawal());
  expectSame(std::get<WithdrawalFlow::Pay>(step).withdrawal, withdrawal());
}

TEST(Withdrawal, of_more_than_is_available_is_refused) {
  const auto step = flow().onInsufficient();
  ASSERT_FALSE(answerOf(step));
  EXPECT_EQ(answerOf(step).error().code, ErrorCode::insufficient_balance);
}

TEST(Withdrawal, reads_what_stands_under_a_trace_id_that_is_taken_or_uncertain) {
  EXPECT_TRUE(is<WithdrawalFlow::Read>(flow().onMustRead()));
}

TEST(Withdrawal, whose_reservation_is_not_there_is_reserved_again) {
  EXPECT_TRUE(is<WithdrawalFlow::Reserve>(flow().onRead(std::nullopt)));
}

TEST(Withdrawal, asked_for_again_is_answered_as_it_ended) {
  for (const auto state : {WithdrawalState::paid, WithdrawalState::rejected}) {
    const auto step = flow().onRead(withdrawal(state));
    ASSERT_TRUE(answerOf(step));
    expectSame(*answerOf(step), withdrawal(state));
  }
}

TEST(Withdrawal, asked_for_again_while_pending_is_waited_for_and_never_paid_from_here) {
  const auto step = flow().onRead(withdrawal());
  expectSame(std::get<WithdrawalFlow::AwaitOther>(step).withdrawal, withdrawal());
}

TEST(Withdrawal, a_trace_id_that_names_another_amount_or_anchor_is_a_conflict_in_every_state) {
  for (const auto state :
       {WithdrawalState::pending, WithdrawalState::paid, WithdrawalState::rejected}) {
    auto other = withdrawal(state);
    other.amount = Fen{1'001};
    auto step = flow().onRead(other);
    ASSERT_FALSE(answerOf(step));
    EXPECT_EQ(answerOf(step).error().code, ErrorCode::trace_id_conflict);

    other = withdrawal(state);
    other.anchor = AnchorId{32};
    step = flow().onRead(other);
    ASSERT_FALSE(answerOf(step));
    EXPECT_EQ(answerOf(step).error().code, ErrorCode::trace_id_conflict);
  }
}

TEST(Withdrawal, ends_as_the_provider_says) {
  const auto paid = flow().onPayout(withdrawal(), PayoutResult::paid);
  EXPECT_EQ(std::get<WithdrawalFlow::Finish>(paid).state, WithdrawalState::paid);
  expectSame(std::get<WithdrawalFlow::Finish>(paid).withdrawal, withdrawal());
  const auto rejected = flow().onPayout(withdrawal(), PayoutResult::rejected);
  EXPECT_EQ(std::get<WithdrawalFlow::Finish>(rejected).state, WithdrawalState::rejected);
}

TEST(Withdrawal, whose_payout_is_not_known_stays_pending_and_is_answered_so) {
  const auto step = flow().onPayout(withdrawal(), PayoutResult::unknown);
  ASSERT_TRUE(answerOf(step));
  EXPECT_EQ(answerOf(step)->state, WithdrawalState::pending);
}

TEST(Withdrawal, is_answered_as_it_stands_after_its_end_or_the_wait_for_it) {
  for (const auto state :
       {WithdrawalState::pending, WithdrawalState::paid, WithdrawalState::rejected}) {
    const auto step = flow().onSettled(withdrawal(state));
    ASSERT_TRUE(answerOf(step));
    expectSame(*answerOf(step), withdrawal(state));
  }
}

TEST(WithdrawalState, has_the_contracts_words) {
  EXPECT_EQ(word(WithdrawalState::pending), "pending");
  EXPECT_EQ(word(WithdrawalState::paid), "paid");
  EXPECT_EQ(word(WithdrawalState::rejected), "rejected");
}

// DB2's side of withdrawals, as far as the flow can see it: one account, withdrawals by traceId.
struct Books {
  Account account;
  std::map<TraceId, Withdrawal> withdrawals;

  enum class Reserved { done, insufficient, taken };
  Reserved reserve(const WithdrawalRequest& request) {
    if (withdrawals.contains(request.traceId)) return Reserved::taken;
    if (request.amount > available(account)) return Reserved::insufficient;
    account.reserved += request.amount;
    withdrawals[request.traceId] = {WithdrawalId{static_cast<std::int64_t>(withdrawals.size()) + 1},
                                    request.traceId,
                                    request.anchor,
                                    request.amount,
                                    WithdrawalState::pending,
                                    kNow};
    return Reserved::done;
  }
  Withdrawal finish(const TraceId& traceId, WithdrawalState state) {
    auto& one = withdrawals.at(traceId);
    if (one.state != WithdrawalState::pending) return one;
    one.state = state;
    account.reserved = account.reserved - one.amount;
    if (state == WithdrawalState::paid) account.withdrawn += one.amount;
    return one;
  }
  std::optional<Withdrawal> read(const TraceId& traceId) const {
    const auto found = withdrawals.find(traceId);
    return found == withdrawals.end() ? std::nullopt : std::optional(found->second);
  }
};

// A payment provider: pays or rejects a key once, whatever is asked again; its answer may get lost.
struct Provider {
  struct Payout {
    Fen amount;
    bool paid = false;
  };
  std::map<WithdrawalId, Payout> payouts;

  bool pay(const Withdrawal& asked, SeededRandom& random) {
    const auto [payout, isNew] = payouts.try_emplace(asked.id);
    if (isNew) payout->second = {asked.amount, random.below(4) != 0};
    EXPECT_EQ(payout->second.amount, asked.amount);
    return payout->second.paid;
  }
};

// One request and where it is; a node that dies takes it along.
struct Request {
  WithdrawalFlow flow;
  WithdrawalRequest asked;
  WithdrawalFlow::Step step;
  int waits = 0;
};

// Runs one step of one request, with connections that break before and after commits.
WithdrawalFlow::Step advance(Request& request, Books& books, Provider& provider,
                             SeededRandom& random) {
  const bool lostBefore = random.below(6) == 0;
  const bool lostAfter = random.below(6) == 0;
  if (is<WithdrawalFlow::Reserve>(request.step)) {
    if (lostBefore) return request.flow.onMustRead();
    const auto outcome = books.reserve(request.asked);
    if (lostAfter || outcome == Books::Reserved::taken) return request.flow.onMustRead();
    if (outcome == Books::Reserved::insufficient) return request.flow.onInsufficient();
    return request.flow.onReserved(*books.read(request.asked.traceId));
  }
  if (is<WithdrawalFlow::Read>(request.step)) {
    return request.flow.onRead(books.read(request.asked.traceId));
  }
  if (const auto* pay = std::get_if<WithdrawalFlow::Pay>(&request.step)) {
    const auto reserved = pay->withdrawal;
    if (lostBefore) return request.flow.onPayout(reserved, PayoutResult::unknown);
    const bool paid = provider.pay(reserved, random);
    if (lostAfter) return request.flow.onPayout(reserved, PayoutResult::unknown);
    return request.flow.onPayout(reserved, paid ? PayoutResult::paid : PayoutResult::rejected);
  }
  if (const auto* finish = std::get_if<WithdrawalFlow::Finish>(&request.step)) {
    const auto [ended, state] = *finish;
    if (lostBefore) return request.flow.onMustRead();
    const auto stands = books.finish(ended.traceId, state);
    if (lostAfter) return request.flow.onMustRead();
    return request.flow.onSettled(stands);
  }
  const auto& other = std::get<WithdrawalFlow::AwaitOther>(request.step).withdrawal;
  const auto stands = *books.read(other.traceId);
  if (stands.state == WithdrawalState::pending && ++request.waits < 5) return request.step;
  return request.flow.onSettled(stands);
}

// Invariants I9 and I10 on everything there is.
void audit(const Books& books, const Provider& provider) {
  Fen withdrawn;
  Fen reserved;
  for (const auto& [traceId, one] : books.withdrawals) {
    ASSERT_EQ(traceId, one.traceId);
    if (one.state == WithdrawalState::pending) reserved += one.amount;
    if (one.state == WithdrawalState::paid) withdrawn += one.amount;
    const auto payout = provider.payouts.find(one.id);
    if (one.state == WithdrawalState::pending) continue;
    ASSERT_NE(payout, provider.payouts.end()) << "an end that no provider spoke of";
    ASSERT_EQ(payout->second.paid, one.state == WithdrawalState::paid);
  }
  ASSERT_EQ(books.account.withdrawn, withdrawn);
  ASSERT_EQ(books.account.reserved, reserved);
  ASSERT_GE(available(books.account), Fen{0});
  ASSERT_LE(provider.payouts.size(), books.withdrawals.size());
}

TEST(Withdrawal, pays_each_trace_id_at_most_once_whatever_breaks_and_however_often_it_is_asked) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    SeededRandom random(seed);
    Books books;
    books.account.settled = Units{100'000 * kUnitsPerFen + 9'999};
    Provider provider;
    std::vector<Request> requests;
    std::map<TraceId, WithdrawalState> ended;
    for (int step = 0; step < 2'000; ++step) {
      if (requests.size() < 6 && random.below(3) == 0) {
        // Few traceIds, so that they meet; the amount of one in eight is another.
        const TraceId traceId{0, random.below(40)};
        const std::int64_t amount =
            5'000 + static_cast<std::int64_t>(traceId.low) * 100 + (random.below(8) == 0 ? 1 : 0);
        const WithdrawalRequest asked{traceId, kAnna, Fen{amount}};
        const WithdrawalFlow started(asked);
        requests.push_back({started, asked, started.start()});
      }
      if (requests.empty()) continue;
      const auto at = random.below(requests.size());
      auto& request = requests[at];
      request.step = advance(request, books, provider, random);
      if (is<WithdrawalFlow::Answer>(request.step)) {
        const auto& answer = answerOf(request.step);
        const auto stands = books.read(request.asked.traceId);
        if (answer) {
          ASSERT_TRUE(stands) << "answered, and not in the books";
          ASSERT_EQ(answer->id, stands->id);
          ASSERT_EQ(answer->amount, request.asked.amount);
          ASSERT_EQ(stands->amount, request.asked.amount);
          // Pending may have ended since; what has ended is what was answered.
          if (answer->state != WithdrawalState::pending) {
            ASSERT_EQ(answer->state, stands->state);
          }
        } else if (answer.error().code == ErrorCode::trace_id_conflict) {
          ASSERT_TRUE(stands);
          ASSERT_NE(stands->amount, request.asked.amount);
        } else {
          ASSERT_EQ(answer.error().code, ErrorCode::insufficient_balance);
        }
        requests.erase(requests.begin() + static_cast<std::ptrdiff_t>(at));
      } else if (random.below(30) == 0) {
        requests.erase(requests.begin() + static_cast<std::ptrdiff_t>(at));  // its node died
      }
      audit(books, provider);
      for (const auto& [traceId, one] : books.withdrawals) {
        if (const auto before = ended.find(traceId); before != ended.end()) {
          ASSERT_EQ(one.state, before->second) << "a final state changed";
        } else if (one.state != WithdrawalState::pending) {
          ended.emplace(traceId, one.state);
        }
      }
      if (HasFatalFailure()) return;
    }
    // The job that asks about what is pending: each ends, and each was paid at most once.
    const auto pending = books.withdrawals;
    for (const auto& [traceId, one] : pending) {
      if (one.state != WithdrawalState::pending) continue;
      const WithdrawalFlow again({traceId, one.anchor, one.amount});
      const auto result = provider.pay(one, random) ? PayoutResult::paid : PayoutResult::rejected;
      const auto step = again.onPayout(one, result);
      books.finish(traceId, std::get<WithdrawalFlow::Finish>(step).state);
    }
    audit(books, provider);
    EXPECT_EQ(books.account.reserved, Fen{0});
    EXPECT_FALSE(books.withdrawals.empty());
  }
}

}  // namespace
}  // namespace tipflow::finance
