// Compares sums: what was acknowledged against what the node says was received. Per room by the
// revenue of its session (GET /rooms/{id}); as a whole by the tips of the reconciliation
// (GET /finance/reconciliation) when an operator can ask. Finds what a sample of look-ups cannot:
// one tip lost, or counted twice, among millions.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "load/population.h"
#include "load/retry.h"
#include "load/source.h"

namespace tipflow::load {

enum class SumOutcome {
  equal,
  less,         ///< the node holds less than was acknowledged: something is lost
  more,         ///< it holds more: others wrote too, or something is counted twice
  unavailable,  ///< the node did not say
};
std::string_view word(SumOutcome outcome);

struct SumFinding {
  SumOutcome outcome = SumOutcome::unavailable;
  Sums acknowledged = {};
  Sums held = {};  ///< more than before the run; `tips` stays 0 for rooms, which count none
  std::string detail = {};  ///< which rooms differ, or why it is unavailable
};

struct SumFindings {
  SumFinding rooms;
  std::optional<SumFinding> books;  ///< nullopt: nobody could ask
};

struct SumPlan {
  std::vector<Room> rooms;
  std::vector<Sums> acknowledged;  ///< by room
  std::string readerHeaders;       ///< of anyone with a token
  std::optional<Sums> booksBefore;
  std::string operatorHeaders;
  MonotonicUs patienceUs = 30'000'000;  ///< counters and settlement follow a commit with a delay
};

class SumCheck final : public Source {
 public:
  SumCheck(SumPlan plan, MonotonicUs now);

  std::optional<Ticket> next(MonotonicUs now, std::string& out) override;
  [[nodiscard]] MonotonicUs dueUs() const override;
  void answered(Ticket ticket, const Answer& answer, MonotonicUs now) override;
  void lost(Ticket ticket, Loss loss, MonotonicUs now) override;
  void unreachable(std::string_view, MonotonicUs) override {}
  bool done(MonotonicUs now) override;

  /// Once done, or given up.
  [[nodiscard]] SumFindings findings() const;

 private:
  // A ticket is a room's place; the one after the last room is the books'.
  [[nodiscard]] Ticket booksTicket() const { return plan_.rooms.size(); }
  [[nodiscard]] SumFinding roomFinding() const;
  [[nodiscard]] SumFinding booksFinding() const;
  void askAgain(Ticket ticket, MonotonicUs now);

  SumPlan plan_;
  Sums total_;
  MonotonicUs endUs_;
  RetryQueue toAsk_;
  std::size_t open_ = 0;
  std::vector<std::optional<std::int64_t>> held_;  // by room
  std::optional<Sums> booksHeld_;
  std::string trouble_;
};

}  // namespace tipflow::load
