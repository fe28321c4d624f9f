// What the processes of a run share: the tips with their instants, how far everybody is, and when
// to stop. Memory that is mapped before the processes part; they see it change at once.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/histogram.h"
#include "load/source.h"

namespace tipflow::load::watch {

enum class TipState : std::uint8_t { unsent, sent, acknowledged, refused };

/// A tip of ours. Written by the one who gives tips, but for `lastSeenUs`.
struct SharedTip {
  MonotonicUs sentUs = 0;  ///< first sending
  std::int64_t amountFen = 0;
  std::uint32_t room = 0;
  bool timed = false;  ///< how soon it is seen counts
  std::atomic<TipState> state{TipState::unsent};
  std::atomic<MonotonicUs> lastSeenUs{0};  ///< when the last viewer so far saw it

  void seen(MonotonicUs now) {
    auto last = lastSeenUs.load(std::memory_order_relaxed);
    while (last < now && !lastSeenUs.compare_exchange_weak(last, now, std::memory_order_relaxed)) {
    }
  }
};

/// What one process has done so far; each on cache lines of its own.
struct alignas(128) Progressed {
  std::atomic<std::uint64_t> open{0};   ///< viewers who hear their room now
  std::atomic<std::uint64_t> noted{0};  ///< 1: knows who is there before the first tip
  std::atomic<std::uint64_t> frames{0};
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<std::uint64_t> deliveries{0};  ///< tips of ours, each to each viewer
};

enum class Phase : int { opening, tipping, counting, leaving };

class Shared {
 public:
  /// Throws std::runtime_error when there is not so much memory.
  Shared(std::size_t tips, std::size_t processes);
  ~Shared();
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;

  [[nodiscard]] std::size_t tipsMost() const { return tipsMost_; }
  [[nodiscard]] SharedTip& tip(std::size_t number) const { return tips_[number]; }
  [[nodiscard]] Progressed& progress(std::size_t process) const { return progress_[process]; }
  [[nodiscard]] std::size_t processes() const { return processes_; }
  [[nodiscard]] std::atomic<Phase>& phase() const { return *phase_; }
  [[nodiscard]] std::uint64_t total(std::atomic<std::uint64_t> Progressed::* what) const;

 private:
  std::size_t tipsMost_;
  std::size_t processes_;
  std::size_t bytes_;
  void* memory_;
  std::atomic<Phase>* phase_;
  Progressed* progress_;
  SharedTip* tips_;
};

/// What one process found, sent to the first one when it ends.
struct Findings {
  std::uint64_t viewers = 0;  ///< that it was to connect
  std::uint64_t openAtEnd = 0;
  std::uint64_t whole = 0;      ///< saw everything once, from before the first tip on
  std::uint64_t wrongSums = 0;  ///< of those: another sum than was acknowledged
  std::uint64_t shortSums = 0;  ///< of those: less, as when a frame was still on its way
  std::uint64_t gaps = 0;
  std::uint64_t repeats = 0;
  std::uint64_t anew = 0;        ///< fresh starts that did not go on where the viewer was
  std::uint64_t resumed = 0;     ///< went on where they were
  std::uint64_t unreadable = 0;  ///< frames that were not what the contract says
  std::uint64_t dropped = 0;     ///< connections that ended without being asked to
  std::uint64_t framesRead = 0;  ///< the others were the same bytes
  std::map<std::string, std::uint64_t> refusals = {};  ///< of openings, by why
  std::map<std::string, std::uint64_t> byes = {};      ///< by code
  /// From the first sending of a tip until a viewer sees it, how often.
  std::vector<std::pair<Histogram::Value, std::uint64_t>> latencies = {};

  void add(const Findings& other);
};

/// As bytes through a pipe.
std::string encode(const Findings& findings);
/// Throws std::runtime_error for anything else: the process died half way.
Findings decodeFindings(const std::string& bytes);

}  // namespace tipflow::load::watch
