// Looks up every acknowledged tip: is it there, from this viewer, with this amount? And every
// doubtful one: was it written after all?
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

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
  std::uint64_t doubtfulThere = 0;
  std::uint64_t doubtfulAbsent = 0;
  std::vector<std::string> examples;  ///< what is wrong, a few of each kind

  void add(const Findings& other);
};

class Verification final : public Source {
 public:
  /// `record` and `viewers` must outlive it.
  Verification(const Record& record, const std::vector<Viewer>& viewers, MonotonicUs now);

  std::optional<Ticket> next(MonotonicUs now, std::string& out) override;
  [[nodiscard]] MonotonicUs dueUs() const override;
  void answered(Ticket ticket, const Answer& answer, MonotonicUs now) override;
  void lost(Ticket ticket, Loss loss, MonotonicUs now) override;
  void unreachable(std::string_view, MonotonicUs) override {}
  bool done(MonotonicUs now) override;

  /// Looked up so far; may be read from any thread.
  [[nodiscard]] std::size_t finished() const { return finished_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t total() const { return record_.size(); }
  /// Once done, or given up.
  [[nodiscard]] Findings findings() const;

 private:
  void conclude(std::uint64_t& count, MonotonicUs now);
  void example(const Acknowledged& tip, const std::string& what);
  void found(const Acknowledged& tip, const Answer& answer, MonotonicUs now);

  const Record& record_;
  const std::vector<Viewer>& viewers_;
  std::size_t next_ = 0;
  RetryQueue retries_;
  std::map<Ticket, int> absentLooks_;
  MonotonicUs lastConclusionUs_;
  std::atomic<std::size_t> finished_ = 0;
  Findings findings_;
};

}  // namespace tipflow::load
