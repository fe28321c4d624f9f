#include "finance/withdrawal.h"

namespace tipflow::finance {

WithdrawalFlow::Step WithdrawalFlow::onInsufficient() const {
  return Answer{ErrorCode::insufficient_balance};
}

WithdrawalFlow::Step WithdrawalFlow::onRead(const std::optional<Withdrawal>& found) const {
  // Not there: the reservation certainly did not commit, so it may be tried again.
  if (!found) return Reserve{};
  if (found->anchor != request_.anchor || found->amount != request_.amount) {
    return Answer{ErrorCode::trace_id_conflict};
  }
  if (found->state == WithdrawalState::pending) return AwaitOther{*found};
  return Answer{*found};
}

WithdrawalFlow::Step WithdrawalFlow::onPayout(const Withdrawal& withdrawal,
                                              PayoutResult result) const {
  switch (result) {
    case PayoutResult::paid:
      return Finish{withdrawal, WithdrawalState::paid};
    case PayoutResult::rejected:
      return Finish{withdrawal, WithdrawalState::rejected};
    case PayoutResult::unknown:
      return Answer{withdrawal};  // stays pending; a job asks until it is known
  }
  throw BrokenInvariant("a payout with no result");
}

}  // namespace tipflow::finance
