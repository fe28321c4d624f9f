#include "finance/provider.h"

#include "platform/db/dialect.h"

namespace tipflow::finance {

drogon::Task<PayoutResult> SandboxProvider::pay(WithdrawalId key, Fen amount) {
  const auto earlier = co_await remembered(key);
  if (earlier) co_return *earlier ? PayoutResult::paid : PayoutResult::rejected;
  switch (mode_.load()) {
    case SandboxMode::pay:
    case SandboxMode::reject: {
      const bool paid = co_await remember(key, amount, mode_.load() == SandboxMode::pay);
      co_return paid ? PayoutResult::paid : PayoutResult::rejected;
    }
    case SandboxMode::payThenTimeout:
      co_await remember(key, amount, true);
      co_await keepSilent();
      co_return PayoutResult::unknown;
    case SandboxMode::timeout:
      co_await keepSilent();
      co_return PayoutResult::unknown;
  }
  co_return PayoutResult::unknown;
}

drogon::Task<bool> SandboxProvider::remember(WithdrawalId key, Fen amount, bool paid) {
  const Time now = clock_.now();
  co_await db2_.write([&](db::Connection& connection) {
    connection.exec(
        "INSERT INTO sandbox_payout (withdrawal_id, amount, paid, at) VALUES (?, ?, ?, ?)" +
            db::orKeep(connection.dialect(), "withdrawal_id"),
        {key, amount, paid ? 1 : 0, now});
    return true;
  });
  const auto stands = co_await remembered(key);
  co_return stands.value_or(paid);
}

drogon::Task<std::optional<bool>> SandboxProvider::remembered(WithdrawalId key) {
  co_return co_await db2_.read([key](db::Connection& connection) {
    std::optional<bool> paid;
    connection.query("SELECT paid FROM sandbox_payout WHERE withdrawal_id = ?", {key},
                     [&](const db::Row& row) { paid = row.integer(0) == 1; });
    return paid;
  });
}

drogon::Task<> SandboxProvider::keepSilent() const {
  auto* loop = trantor::EventLoop::getEventLoopOfCurrentThread();
  if (loop != nullptr) {
    co_await drogon::sleepCoro(loop, std::chrono::duration<double>(timeout_).count());
  }
}

}  // namespace tipflow::finance
