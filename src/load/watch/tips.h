// The tips that are given while others watch: at a steady rate, each known by its number, sent
// again until its outcome is known.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/random.h"
#include "load/population.h"
#include "load/retry.h"
#include "load/source.h"
#include "load/watch/shared.h"
#include "load/zipf.h"

namespace tipflow::load::watch {

struct TipsPlan {
  double perSecond = 20;
  MonotonicUs startUs = 0;
  MonotonicUs endUs = 0;
  double roomExponent = 1;
  std::uint64_t seed = 1;
  bool sign = true;
  std::uint32_t first = 0;        ///< number of its first tip
  bool timed = true;              ///< when they are seen counts for the times
  MonotonicUs resolveMostUs = 0;  ///< after the end, for outcomes that are not known
};

class Tips final : public Source {
 public:
  /// `rooms` and `senders` are not empty and outlive this.
  Tips(const TipsPlan& plan, const std::vector<Room>& rooms, const std::vector<Sender>& senders,
       Shared& shared, const Clock& clock, Random& ids);

  std::optional<Ticket> next(MonotonicUs now, std::string& out) override;
  [[nodiscard]] MonotonicUs dueUs() const override;
  void answered(Ticket ticket, const Answer& answer, MonotonicUs now) override;
  void lost(Ticket ticket, Loss loss, MonotonicUs now) override;
  void unreachable(std::string_view why, MonotonicUs now) override;
  bool done(MonotonicUs now) override;

  void stop() { stopped_ = true; }
  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] std::uint64_t open() const { return open_.size(); }
  /// Why tips were refused, how many.
  [[nodiscard]] const std::map<std::string, std::uint64_t>& refusals() const { return refusals_; }

 private:
  struct Open {
    std::string body;
    TraceId traceId;
    std::size_t sender = 0;
    int attempts = 0;
  };
  [[nodiscard]] MonotonicUs nextStartUs() const;
  Ticket begin(MonotonicUs now);
  void append(std::string& out, Open& tip);
  void finish(Ticket ticket, TipState state);

  TipsPlan plan_;
  const std::vector<Room>& rooms_;
  const std::vector<Sender>& senders_;
  Shared& shared_;
  const Clock& clock_;
  Random& ids_;
  SeededRandom random_;
  Zipf zipf_;
  RetryQueue again_;
  std::unordered_map<Ticket, Open> open_;
  std::map<std::string, std::uint64_t> refusals_;
  std::uint64_t sent_ = 0;
  bool stopped_ = false;
};

}  // namespace tipflow::load::watch
