// Looks up acknowledged tips, all or a sample spread over the run: is it there, from this viewer,
// with this amount? And every doubtful one: was it written after all?
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "load/population.h"
#include "load/record.h"
#include "load/retry.h"
#include "load/source.h"

namespace tipflow::load {

/// What the check found. Parts of several checks add up.
struct Findings {
  std::uint64_t there = 0;  ///< found as they were sent
  std::uint64_t missing = 0;
  std::uint64_t different = 0;
  std::uint64_t unchecked = 0;  ///< could not be looked up
  std::uint64_t notKept = 0;    ///< the oldest ones of an endless run, no longer in the record
  std::uint64_t notSampled = 0;
  std::uint64_t doubtfulThere = 0;
  std::uint64_t doubtfulAbsent = 0;
  std::vector<Doubtful> writtenAfterAll = {};  ///< of doubtfulThere
  std::vector<std::string> examples = {};      ///< what is wrong, a few of each kind

  void add(const Findings& other);
  [[nodiscard]] std::uint64_t lookedUp() const {
    return there + missing + different + doubtfulThere + doubtfulAbsent;
  }
};

struct LookUps {
  const Record& record;
  const std::vector<Doubtful>& doubtful;
  const std::vector<Sender>& senders;
  /// Whose token asks; nullptr: each tip is asked for by its viewer.
  const Sender* reader = nullptr;
  /// Of so many acknowledged tips, evenly over the run, each by chance; all when there are no more.
  std::size_t sampleMost = std::numeric_limits<std::size_t>::max();
  std::uint64_t seed = 1;
};

class Verification final : public Source {
 public:
  /// What `what` refers to must outlive it.
  Verification(const LookUps& what, MonotonicUs now);

  std::optional<Ticket> next(MonotonicUs now, std::string& out) override;
  [[nodiscard]] MonotonicUs dueUs() const override;
  void answered(Ticket ticket, const Answer& answer, MonotonicUs now) override;
  void lost(Ticket ticket, Loss loss, MonotonicUs now) override;
  void unreachable(std::string_view, MonotonicUs) override {}
  bool done(MonotonicUs now) override;

  /// Looked up so far; may be read from any thread.
  [[nodiscard]] std::size_t finished() const { return finished_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t total() const { return sampled_ + what_.doubtful.size(); }
  /// Once done, or given up.
  [[nodiscard]] Findings findings() const;

 private:
  struct Wanted {
    TraceId traceId;
    std::int64_t amountFen = 0;
    std::uint32_t viewer = 0;
    bool doubtful = false;
  };
  // Tickets are places in the record, and after them the doubtful ones.
  [[nodiscard]] Wanted wanted(Ticket ticket) const;
  [[nodiscard]] Ticket ticketOf(std::size_t index);
  void conclude(std::uint64_t& count, MonotonicUs now);
  void example(const Wanted& tip, const std::string& what);
  void found(Ticket ticket, const Answer& answer, MonotonicUs now);

  LookUps what_;
  std::size_t sampled_;
  SeededRandom random_;
  std::size_t next_ = 0;
  RetryQueue retries_;
  std::map<Ticket, int> absentLooks_;
  std::string target_;
  MonotonicUs lastConclusionUs_;
  std::atomic<std::size_t> finished_ = 0;
  Findings findings_;
};

}  // namespace tipflow::load
