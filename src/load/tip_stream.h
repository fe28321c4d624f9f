// The stream of tips: makes each when it is due, and finds out what became of it. No tip is left
// unknown while it can be asked about: a broken connection, a time-out or an open server error is
// followed by the same tip with the same traceId, until an answer is final (money.md section 1).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "load/choice.h"
#include "load/pacer.h"
#include "load/population.h"
#include "load/record.h"
#include "load/retry.h"
#include "load/source.h"
#include "load/tally.h"

namespace tipflow::load {

struct TipPlan {
  Url url;
  Pace pace;
  MonotonicUs measureFromUs = 0;  ///< starts intended earlier are warm-up
  double duplicates = 0;          ///< part of the tips that is sent a second time
  bool sign = true;
  std::uint64_t seed = 1;
  std::string password;        ///< of registered viewers, to renew their tokens
  std::size_t recordMost = 0;  ///< acknowledged tips kept for the check
};

class TipStream final : public Source {
 public:
  /// `ids` makes traceIds and nonces; it is the system's, never a seeded one: two runs with one
  /// seed must not make the same ids.
  TipStream(TipPlan plan, Population population, const Clock& clock, Random& ids);

  std::optional<Ticket> next(MonotonicUs now, std::string& out) override;
  [[nodiscard]] MonotonicUs dueUs() const override;
  void answered(Ticket ticket, const Answer& answer, MonotonicUs now) override;
  void lost(Ticket ticket, Loss loss, MonotonicUs now) override;
  void unreachable(std::string_view, MonotonicUs) override {}
  bool done(MonotonicUs now) override;

  // From any thread -------------------------------------------------------------------------------
  /// Starts no more tips; open ones are still found out.
  void stop() { stopAsked_.store(true, std::memory_order_relaxed); }
  /// Swaps what was counted since the last call into `into`, which must be empty.
  void take(Tally& into);
  /// Tips begun and not ended.
  [[nodiscard]] std::size_t open() const { return open_.load(std::memory_order_relaxed); }
  /// Starts that are well overdue, since no connection is free.
  [[nodiscard]] std::size_t waiting() const { return waiting_.load(std::memory_order_relaxed); }

  // Once done -------------------------------------------------------------------------------------
  [[nodiscard]] const Record& record() const { return record_; }
  /// The viewers that the record's places mean.
  [[nodiscard]] const std::vector<Viewer>& viewers() const { return viewers_; }

 private:
  struct Tip {
    TraceId traceId;
    Choice choice;  // its viewer is a place in viewers_
    MonotonicUs intendedUs = 0;
    MonotonicUs firstSentUs = 0;
    int attempts = 0;
    bool maybeWritten = false;  // an attempt ended without saying
    bool repeat = false;        // the second sending of a tip, on its own account
  };
  enum class End { created, exists, conflict, rejected, unavailable, unknown };

  std::uint64_t begin(MonotonicUs intendedUs, MonotonicUs now);
  void send(std::uint64_t place, MonotonicUs now, std::string& out);
  void end(std::uint64_t place, End how, MonotonicUs now);
  void tryLater(std::uint64_t place, MonotonicUs delayUs, MonotonicUs now);
  void refusedFor(std::uint64_t place, MonotonicUs delayUs, MonotonicUs now);
  void rejected(std::uint64_t place, const Answer& answer, MonotonicUs now);
  [[nodiscard]] bool mayStart() const;

  // Tokens live 12 hours, a stream may run for longer.
  void lookForRenewals(MonotonicUs now);
  void sendRenewal(std::uint32_t seat, std::string& out);
  void renewed(std::uint32_t seat, const Answer& answer);
  void renewSoon(std::uint32_t viewer);

  TipPlan plan_;
  std::vector<std::int64_t> rooms_;
  std::vector<Viewer> viewers_;
  // A seat is a place of the chooser's; who sits there changes when a guest's token ends.
  struct Seat {
    std::uint32_t viewer = 0;
    Time renewAt;
    bool renewing = false;
  };
  std::vector<Seat> seats_;
  std::deque<std::uint32_t> renewals_;
  std::size_t renewalsInFlight_ = 0;
  MonotonicUs nextRenewalLookUs_ = 0;

  const Clock& clock_;
  Random& ids_;
  Pacer pacer_;
  MonotonicUs endUs_;  // of the schedule: as planned, or when it was stopped
  Chooser chooser_;

  std::vector<Tip> tips_;
  std::vector<std::uint64_t> free_;
  std::deque<std::uint64_t> repeats_;
  RetryQueue retries_;
  Record record_;
  std::string body_;

  std::atomic<std::size_t> open_ = 0;
  std::atomic<std::size_t> waiting_ = 0;
  std::atomic<bool> stopAsked_ = false;
  std::optional<MonotonicUs> lastStartUs_;  // when there were no more starts
  bool givenUp_ = false;
  std::uint64_t droppedTold_ = 0;

  std::mutex mutex_;  // of tally_
  Tally tally_;
};

}  // namespace tipflow::load
