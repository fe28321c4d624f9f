// The stream of tips: makes each when it is due, and finds out what became of it. No tip is left
// unknown while it can be asked about: a broken connection, a time-out or an open server error is
// followed by the same tip with the same traceId, until an answer is final (money.md section 1).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "load/choice.h"
#include "load/journal.h"
#include "load/pacer.h"
#include "load/population.h"
#include "load/record.h"
#include "load/retry.h"
#include "load/seats.h"
#include "load/source.h"
#include "load/tally.h"
#include "load/tip_text.h"

namespace tipflow::load {

struct TipPlan {
  Url url;
  Pace pace;                ///< of requests
  std::uint32_t batch = 1;  ///< tips to a request; more than one are sent by the operator
  bool inBatches = false;   ///< by POST /tips/batch, even when `batch` is 1
  std::uint64_t tipsMost = std::numeric_limits<std::uint64_t>::max();  ///< repeats left out
  MonotonicUs measureFromUs = 0;  ///< starts intended earlier are warm-up
  double roomExponent = 1;
  double viewerExponent = 0;
  double taste = 0;
  double duplicates = 0;                   ///< part of the requests that is sent a second time
  MonotonicUs duplicatesWithinUs = 0;      ///< the second one follows within this; 0: at once
  MonotonicUs resolveMostUs = 60'000'000;  ///< how long open outcomes are asked about at the end
  bool sign = true;
  std::uint64_t seed = 1;
  bool randomTraceIds = false;  ///< else UUIDv7
  Passwords passwords;          ///< to renew tokens
  std::size_t recordMost = 0;   ///< acknowledged tips kept for the check
  JournalFile* journal = nullptr;
};

class TipStream final : public Source {
 public:
  /// `ids` makes traceIds; it is the system's, never a seeded one: two runs with one seed must not
  /// make the same ids. In batches, the population has an operator.
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
  /// Tips whose start is well overdue, since no connection is free.
  [[nodiscard]] std::size_t waiting() const { return waiting_.load(std::memory_order_relaxed); }

  // Once done -------------------------------------------------------------------------------------
  [[nodiscard]] const Record& record() const { return record_; }
  /// Tips that were not acknowledged and may be written all the same.
  [[nodiscard]] const std::vector<Doubtful>& doubtful() const { return doubtful_; }
  /// What was acknowledged, by place of the room; each tip once, however often it was sent.
  [[nodiscard]] const std::vector<Sums>& roomSums() const { return roomSums_; }
  /// The senders that the record's places mean.
  [[nodiscard]] const std::vector<Sender>& senders() const { return seats_.senders(); }
  /// When the last tip ended, repeats left out.
  [[nodiscard]] MonotonicUs lastEndUs() const { return lastEndUs_; }

 private:
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  struct Tip {
    TraceId traceId;
    Choice choice;  // its viewer is a place among the senders
    bool ended = false;
    bool maybeWritten = false;  // an attempt ended without saying
    bool counted = false;       // the other sending of it was acknowledged
  };
  // A request, sent until each of its tips has ended. The tips of slot s are tips_[s * batch …].
  struct Parcel {
    MonotonicUs intendedUs = 0;
    MonotonicUs firstSentUs = 0;
    MonotonicUs sentUs = 0;
    std::uint32_t count = 0;
    std::uint32_t open = 0;
    std::uint32_t other = kNone;  // the slot of the same tips' other sending, while both are open
    int attempts = 0;
    bool repeat = false;
  };
  enum class End { created, exists, conflict, rejected, unavailable, unknown };
  static std::string_view outcomeOf(End how);

  std::uint32_t begin(MonotonicUs intendedUs, MonotonicUs now);
  void beginRepeat(std::uint32_t first, MonotonicUs now);
  std::uint32_t takeSlot(std::uint32_t count);
  void send(std::uint32_t slot, MonotonicUs now, std::string& out);
  void writeBody(const Parcel& parcel, const Tip* tips);
  /// Who sends the parcel, as a place among the senders.
  [[nodiscard]] std::uint32_t senderOf(std::uint32_t slot);
  // Those below are called with mutex_ held.
  void onBatch(std::uint32_t slot, const Answer& answer, MonotonicUs now);
  void onRejection(std::uint32_t slot, const Answer& answer, MonotonicUs now);
  void rejectTip(std::uint32_t slot, Tip& tip, int status, std::string_view code, MonotonicUs now);
  void onRefusal(std::uint32_t slot, MonotonicUs delayUs, MonotonicUs now);
  void endTip(std::uint32_t slot, Tip& tip, End how, std::int64_t tipId, MonotonicUs now);
  void count(const Parcel& parcel, End how, MonotonicUs now);
  void keep(std::uint32_t slot, Tip& tip, End how);
  void endAll(std::uint32_t slot, End how, std::int64_t tipId, MonotonicUs now);
  void leaveOpen(std::uint32_t slot);
  void tryLater(std::uint32_t slot, MonotonicUs delayUs, MonotonicUs now);
  void finish(std::uint32_t slot);
  template <class Do>
  void eachOpen(std::uint32_t slot, Do&& perTip);

  [[nodiscard]] bool mayStart() const;
  [[nodiscard]] Tip* tipsOf(std::uint32_t slot) {
    return tips_.data() + std::size_t{slot} * plan_.batch;
  }

  TipPlan plan_;
  std::vector<Room> rooms_;
  std::uint32_t operatorSeat_;
  const Clock& clock_;
  Random& ids_;
  Chooser chooser_;
  Seats seats_;
  Pacer pacer_;
  MonotonicUs endUs_;  // of the schedule: as planned, or when it was stopped
  std::uint64_t tipsLeft_;

  std::vector<Parcel> parcels_;
  std::vector<Tip> tips_;
  std::vector<std::uint32_t> free_;
  std::deque<std::uint32_t> repeats_;
  RetryQueue retries_;
  std::string body_;
  std::vector<BatchResult> results_;

  Record record_;
  std::vector<Doubtful> doubtful_;
  std::vector<Sums> roomSums_;
  Journal journal_;

  std::atomic<std::size_t> open_ = 0;
  std::atomic<std::size_t> waiting_ = 0;
  std::atomic<bool> stopAsked_ = false;
  std::optional<MonotonicUs> lastStartUs_;  // when there were no more starts
  MonotonicUs lastEndUs_ = 0;
  bool givenUp_ = false;
  std::uint64_t droppedTold_ = 0;

  std::mutex mutex_;  // of tally_
  Tally tally_;
};

}  // namespace tipflow::load
