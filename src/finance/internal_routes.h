// What finance answers other nodes: batches of tips, cursors, settlements, rates.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "finance/client.h"
#include "finance/wire.h"
#include "platform/http/router.h"
#include "platform/workers.h"

namespace tipflow::finance {

class InternalRoutes {
 public:
  /// `ledger`: this node's own.
  explicit InternalRoutes(FinanceClient& ledger) : ledger_(ledger) {}

  void addTo(http::Router& router);

 private:
  http::Task<http::ResponsePtr> takeBatch(http::Call& call);
  http::Task<http::ResponsePtr> cursor(http::Call& call);
  http::Task<http::ResponsePtr> settlement(http::Call& call);
  http::Task<http::ResponsePtr> rate(http::Call& call);

  /// Runs `work` with a way to the ledger that nobody else uses meanwhile. Throws http::Refused
  /// when too many wait.
  template <class Work>
  auto withChannel(Work work) -> http::Task<std::invoke_result_t<Work, LedgerChannel&>>;
  std::unique_ptr<LedgerChannel> takeChannel();
  void giveBack(std::unique_ptr<LedgerChannel> channel);

  FinanceClient& ledger_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<LedgerChannel>> idle_;
  // Batches of different lanes meet at the same accounts: more at once would only wait there.
  Workers workers_{4, 64, "ledger"};
};

}  // namespace tipflow::finance
