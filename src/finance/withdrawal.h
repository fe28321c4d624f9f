// The withdrawal: from a request to a final state, at most one payout, whatever fails on the way.
// A protocol core: it says what to do next; the driver talks to DB2 and to the payment provider.
// The provider is never called inside a transaction, and always with the withdrawal's id as its
// key.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include "base/enums.h"
#include "base/ids.h"
#include "base/money.h"
#include "base/result.h"
#include "base/time.h"
#include "base/trace_id.h"

namespace tipflow::finance {

enum class WithdrawalState { pending = 0, paid = 1, rejected = 2 };

struct Withdrawal {
  WithdrawalId id;
  TraceId traceId;
  AnchorId anchor;
  Fen amount;
  WithdrawalState state = WithdrawalState::pending;
  Time createdAt;
};

struct WithdrawalRequest {
  TraceId traceId;
  AnchorId anchor;
  Fen amount;
};

/// What the provider says of a payout.
enum class PayoutResult { paid, rejected, unknown };

/// Follows one request. Feed it what each step brought; it ends with Answer.
class WithdrawalFlow {
 public:
  /// In one transaction: insert the withdrawal as `pending` (unique traceId) and reserve the amount
  /// on the account, if that much is available.
  struct Reserve {};
  /// Read the withdrawal that holds the traceId, if there is one.
  struct Read {};
  /// Ask the provider to pay, under the withdrawal's id; asking twice pays once.
  struct Pay {
    Withdrawal withdrawal;
  };
  /// In one transaction: from `pending` to this state, and move or give back the reserved amount.
  struct Finish {
    Withdrawal withdrawal;
    WithdrawalState state;
  };
  /// Another request is carrying this withdrawal out: wait for its end, for a bounded time.
  struct AwaitOther {
    Withdrawal withdrawal;
  };
  struct Answer {
    Result<Withdrawal> result;
  };
  using Step = std::variant<Reserve, Read, Pay, Finish, AwaitOther, Answer>;

  explicit WithdrawalFlow(WithdrawalRequest request) : request_(request) {}

  Step start() const { return Reserve{}; }
  Step onReserved(const Withdrawal& withdrawal) const { return Pay{withdrawal}; }
  Step onInsufficient() const;
  /// The traceId is taken, or whether the reservation committed is not known.
  Step onMustRead() const { return Read{}; }
  Step onRead(const std::optional<Withdrawal>& found) const;
  Step onPayout(const Withdrawal& withdrawal, PayoutResult result) const;
  /// `withdrawal` as it stands after Finish or after waiting.
  Step onSettled(const Withdrawal& withdrawal) const { return Answer{withdrawal}; }

 private:
  WithdrawalRequest request_;
};

}  // namespace tipflow::finance

template <>
struct tipflow::EnumWords<tipflow::finance::WithdrawalState> {
  using State = finance::WithdrawalState;
  static constexpr std::array values{std::pair{std::string_view{"pending"}, State::pending},
                                     std::pair{std::string_view{"paid"}, State::paid},
                                     std::pair{std::string_view{"rejected"}, State::rejected}};
};
