// Brings the simulated people into being through the public API: anchors with open rooms,
// registered viewers, guests. Those that exist already are logged in and used again.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "load/population.h"
#include "load/retry.h"
#include "load/source.h"

namespace tipflow::load {

struct PreparationPlan {
  Url url;
  int rooms = 0;
  int registered = 0;
  int guests = 0;
  std::string password;
  std::string operatorName = {};  ///< empty: nobody logs in as operator
  std::string operatorPassword = {};
  bool needsOperator = false;              ///< else the run goes on without, should the login fail
  bool readBooks = false;                  ///< the operator asks what the books hold before the run
  MonotonicUs firstAnswerUs = 10'000'000;  ///< how long a node may take to answer at all
};

class Preparation final : public Source {
 public:
  Preparation(PreparationPlan plan, MonotonicUs now);

  std::optional<Ticket> next(MonotonicUs now, std::string& out) override;
  [[nodiscard]] MonotonicUs dueUs() const override;
  void answered(Ticket ticket, const Answer& answer, MonotonicUs now) override;
  void lost(Ticket ticket, Loss loss, MonotonicUs now) override;
  void unreachable(std::string_view why, MonotonicUs now) override;
  bool done(MonotonicUs now) override;

  /// How many there are to be, and how many are ready; the latter may be read from any thread.
  [[nodiscard]] std::size_t total() const { return accounts_.size(); }
  [[nodiscard]] std::size_t finished() const { return finished_.load(std::memory_order_relaxed); }
  /// Whether the node has answered anything; may be read from any thread.
  [[nodiscard]] bool heard() const { return heard_.load(std::memory_order_relaxed); }

  /// Why it did not work, with what to do about it; empty when it did. Once done.
  [[nodiscard]] const std::string& failure() const { return failure_; }
  /// The people, and how many rooms were left out because an operator banned them. Once done.
  Population takePopulation();
  [[nodiscard]] std::size_t bannedRooms() const { return banned_; }

 private:
  enum class Kind { operator_, anchor, registered, guest };
  enum class Step { registering, loggingIn, lookingUp, opening, ready, banned };

  struct Account {
    Kind kind = Kind::guest;
    int number = 0;
    Step step = Step::registering;
    int attempts = 0;
    std::int64_t roomId = 0;  // anchors: 0 until known
    std::optional<std::int64_t> revenue = {};
    Session session = {};
  };

  /// `POST /api/v1/anchors` and so on: what the account's step asks for.
  [[nodiscard]] std::string call(const Account& account) const;
  [[nodiscard]] std::string target(const Account& account) const;
  /// The step after `answer`; nullopt when the answer does not allow one.
  std::optional<Step> stepAfter(Account& account, const Answer& answer);
  void goOn(std::uint64_t place, Step step, MonotonicUs now);
  /// The same for an operator.
  std::optional<Step> operatorStepAfter(Account& account, const Answer& answer);
  [[nodiscard]] std::string adviceOn(const Account& account, const Answer& answer) const;

  PreparationPlan plan_;
  std::vector<Account> accounts_;
  std::deque<std::uint64_t> toAsk_;
  RetryQueue later_;
  std::atomic<std::size_t> finished_ = 0;
  std::atomic<bool> heard_ = false;
  std::size_t banned_ = 0;
  std::optional<Sums> books_;
  MonotonicUs lastProgressUs_;
  std::string trouble_;
  std::string failure_;
};

}  // namespace tipflow::load
