// A round of tags' association: takes up what viewers did since the last one, counts those again
// who did something, and, when the rules or the base day are old, counts everybody for a new
// generation beside the published one. The work grows with the viewers who changed. Each step is a
// transaction of a fenced job, so a crash neither skips nor doubles.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "analysis/association_store.h"
#include "anchor/client.h"
#include "audience/client.h"
#include "platform/schedule/scheduler.h"

namespace tipflow::analysis {

inline constexpr const char* kAssociationJob = "tag_association";

struct AssociationLimits {
  std::int64_t tipsAtOnce = 20'000;
  int viewersAtOnce = 250;
  /// A generation is replaced when its base day is so long ago.
  std::int64_t baseDaysMost = 12 * kHalfLifeDays;
  /// Raised with each change of the arithmetic: everybody is counted again.
  std::int64_t rules = 1;
};

class AssociationRound {
 public:
  /// `anchors` null: the role is away, and viewers stay marked until it is back. `audience` null:
  /// viewers keep the tags of their own that they were last counted with.
  AssociationRound(const anchor::AnchorClient* anchors, audience::AudienceClient* audience,
                   AssociationLimits limits = {})
      : anchors_(anchors), audience_(audience), limits_(limits) {}

  /// Throws LeaseLost, db::Error, and what asking the audience role throws.
  void run(schedule::Run& run);

 private:
  void takeUpTips(schedule::Run& run);
  /// Marks the viewers of rooms whose tags are not those they were counted with.
  void noteRooms(schedule::Run& run);
  void countMarked(schedule::Run& run);
  /// Counts everybody for `generation`, and publishes it.
  void countAll(schedule::Run& run, tagstore::Generation generation, Time asOf);
  void makeGeneration(schedule::Run& run);
  void dropOthers(schedule::Run& run);

  using Carried = std::map<ViewerId, std::vector<std::string>>;
  /// The viewers' own tags as audience has them now; where it does not say, as last counted.
  Carried carriedBy(schedule::Run& run, const std::vector<ViewerId>& viewers);
  /// In a transaction: makes the generation's sums hold what `viewers` are now.
  void count(db::Connection& connection, const tagstore::Generation& generation,
             const std::vector<ViewerId>& viewers, const Carried& carried);
  [[nodiscard]] std::vector<RoomActivity> roomsOf(const std::vector<tagstore::Activity>& activity);
  const std::vector<std::string>& tagsOf(AnchorId anchor);
  void keepNewRooms(db::Connection& connection);

  const anchor::AnchorClient* anchors_;
  audience::AudienceClient* audience_;
  AssociationLimits limits_;
  /// What this round takes the rooms' tags to be, and those of them the store does not have yet.
  std::map<AnchorId, std::vector<std::string>> rooms_;
  std::vector<AnchorId> newRooms_;
};

/// As the round would have it: an anchor's room's tags, at most kTagsMost; nullopt while the anchor
/// is not known here.
std::optional<std::vector<std::string>> roomTagsOf(const anchor::AnchorClient& anchors,
                                                   AnchorId anchor);

/// The job, for the scheduler of DB2. `anchors` and `audience` may be null, and outlive it.
schedule::JobSpec associationJob(db::Database& db2, Duration every,
                                 const anchor::AnchorClient* anchors,
                                 audience::AudienceClient* audience);

}  // namespace tipflow::analysis
