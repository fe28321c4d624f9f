// What a node watches of itself, and when it is worth an alert. Pure: what was seen goes in, what
// is wrong comes out, and a condition is raised only after it held for a while, resolved only after
// it was gone for a while.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/enums.h"
#include "base/time.h"

namespace tipflow {

/// critical: tips, money or the service are in danger now. warning: they will be.
enum class Severity { warning = 1, critical = 2 };

// What was seen -------------------------------------------------------------------------------
/// How much a growing count grew within the last `length`.
class Growth {
 public:
  explicit Growth(Duration length) : length_(length) {}
  /// A look at the count; a count that fell began anew.
  void add(Time at, std::int64_t count);
  [[nodiscard]] std::int64_t within() const;

 private:
  Duration length_;
  std::deque<std::pair<Time, std::int64_t>> looks_;
};

struct SyncSight {
  std::int64_t tips = 0;
  std::optional<Time> oldest;  ///< when the oldest unsettled tip was accepted
};
struct RequestSight {
  std::int64_t answered = 0;  ///< within the last minute
  std::int64_t failed = 0;    ///< those of them answered 5xx
};
struct DiskSight {
  std::int64_t freeBytes = 0;
  std::int64_t sizeBytes = 0;
};
struct DatabaseSight {
  std::string name;
  std::optional<Time> awaySince;  ///< nullopt: it answers
  std::string weak;               ///< settings that let commits be lost; empty: none
};
struct KeySight {
  std::string name;
  Time madeAt;
};
struct PendingSight {
  bool known = false;  ///< false: the books could not be asked
  std::int64_t count = 0;
  std::optional<Time> oldest;
};
struct JobSight {
  std::string name;
  Duration every;
  Time lastSeen;
  int failuresInRow = 0;
  std::string lastError;
};
struct BooksSight {
  bool known = false;  ///< false: not compared yet
  std::int64_t differenceTips = 0;
  std::int64_t differenceFen = 0;
  std::string broken;  ///< invariants that do not hold; empty: none
};

/// One look at everything. What the node's roles do not have is not there.
struct Sight {
  Time at;
  std::string node;
  std::optional<SyncSight> sync;
  RequestSight requests;
  std::optional<DiskSight> disk;
  std::int64_t droppedLines = 0;  ///< within the last minute
  std::vector<DatabaseSight> databases;
  std::vector<KeySight> keys;
  std::optional<PendingSight> withdrawals;
  std::vector<JobSight> jobs;
  std::optional<BooksSight> books;
};

// What is wrong -------------------------------------------------------------------------------
struct AlertLimits {
  Duration syncLag{30 * kUsPerSecond};
  std::int64_t errorPercent = 5;
  std::int64_t errorFloor = 50;       ///< fewer requests a minute are not judged
  std::int64_t diskFreePercent = 10;  ///< 0: the disk is not watched
  Duration withdrawalPending{600 * kUsPerSecond};
  Duration keyAge{180 * kUsPerDay};
  Duration raiseAfter{15 * kUsPerSecond};
  Duration resolveAfter{30 * kUsPerSecond};
};

enum class Verdict { fine, bad, unknown };

/// What one look says of one thing.
struct Finding {
  std::string rule;     ///< snake case: `sync_lag`
  std::string subject;  ///< the node, and which part of it: `node-a`, `node-a DB1`
  Severity severity = Severity::warning;
  Verdict verdict = Verdict::fine;
  std::string detail;   ///< for people: what was seen, what is allowed
  bool atOnce = false;  ///< true as soon as it is seen: raised without waiting
};

/// One finding for each rule and subject that is watched, whatever its verdict.
[[nodiscard]] std::vector<Finding> judge(const Sight& sight, const AlertLimits& limits);

// When it is an alert -------------------------------------------------------------------------
/// settling: between the two; nothing is to be done about it.
enum class ConditionState { raised, over, settling };

struct Condition {
  std::string rule;
  std::string subject;
  Severity severity = Severity::warning;
  ConditionState state = ConditionState::settling;
  std::string detail;  ///< of raised ones: as it was seen last
  Time since;          ///< when it got into this state
};

class Conditions {
 public:
  /// Takes in one look; answers what it raised or ended, as this node sees it. What `findings`
  /// leave out is watched no longer.
  std::vector<Condition> look(Time now, const std::vector<Finding>& findings,
                              const AlertLimits& limits);
  [[nodiscard]] std::vector<Condition> all() const;
  /// Whoever keeps alerts has taken these of `all()`. There a raised condition does not end before
  /// it was told: what came and went while nobody kept alerts is told as well.
  void told(const std::vector<Condition>& taken);

 private:
  struct Watched {
    Condition condition;  ///< as `all()` answers it
    bool raised = false;  ///< as this node sees it
    Time turned;          ///< when that last changed, or was first sure
    std::optional<Time> badSince;
    std::optional<Time> fineSince;
    bool told = false;
  };
  static bool advance(Watched& watched, const Finding& finding, Time now,
                      const AlertLimits& limits);
  static void settle(Watched& watched);

  std::map<std::pair<std::string, std::string>, Watched> watched_;
};

}  // namespace tipflow

template <>
struct tipflow::EnumWords<tipflow::Severity> {
  static constexpr std::array values{
      std::pair{std::string_view{"warning"}, tipflow::Severity::warning},
      std::pair{std::string_view{"critical"}, tipflow::Severity::critical}};
};
template <>
struct tipflow::EnumWords<tipflow::ConditionState> {
  static constexpr std::array values{
      std::pair{std::string_view{"raised"}, tipflow::ConditionState::raised},
      std::pair{std::string_view{"over"}, tipflow::ConditionState::over},
      std::pair{std::string_view{"settling"}, tipflow::ConditionState::settling}};
};
