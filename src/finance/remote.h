// FinanceClient for nodes without the role: asks nodes that have it, over HTTP.
#pragma once

#include "finance/client.h"
#include "platform/rpc/caller.h"

namespace tipflow::finance {

class RemoteFinance final : public FinanceClient {
 public:
  explicit RemoteFinance(rpc::Caller& caller) : caller_(caller) {}

  /// Batches go over connections that are kept. One whose answer is lost is of unknown outcome, and
  /// is not sent a second time: whoever pushes asks for the cursor.
  std::unique_ptr<LedgerChannel> openLedger() override;
  drogon::Task<std::optional<Settlement>> settlement(TipId tip) override;
  drogon::Task<BasisPoints> rateNow(AnchorId anchor) override;

 private:
  rpc::Caller& caller_;
};

}  // namespace tipflow::finance
