// What is asked about tags: which go with one, how all go together, which rooms a viewer may like.
#pragma once

#include <boost/describe.hpp>

#include <optional>
#include <string>
#include <vector>

#include "analysis/association_store.h"
#include "analysis/recommendation.h"
#include "anchor/client.h"
#include "audience/client.h"
#include "platform/db/database.h"
#include "platform/http/call.h"

namespace tipflow::analysis {

struct RelatedTag {
  std::string tag;
  double association = 0;
  std::int64_t viewers = 0;  ///< who have both
};
BOOST_DESCRIBE_STRUCT(RelatedTag, (), (tag, association, viewers))

struct RelatedTags {
  std::string tag;
  std::int64_t viewers = 0;
  std::vector<RelatedTag> items;
  std::optional<Time> asOf;  ///< null before the first round
};
BOOST_DESCRIBE_STRUCT(RelatedTags, (), (tag, viewers, items, asOf))

struct CountedTag {
  std::string tag;
  std::int64_t viewers = 0;
};
BOOST_DESCRIBE_STRUCT(CountedTag, (), (tag, viewers))

struct TagMatrix {
  std::vector<CountedTag> tags;                   ///< the heaviest first
  std::vector<std::vector<double>> associations;  ///< [i][j] of tags i and j
  std::optional<Time> asOf;
};
BOOST_DESCRIBE_STRUCT(TagMatrix, (), (tags, associations, asOf))

struct RecommendedRoom {
  RoomId roomId;
  AnchorId anchorId;
  std::string anchorName;
  anchor::RoomState state = anchor::RoomState::off;
  std::vector<std::string> tags;
  double score = 0;
  std::vector<Reason> because;
};
BOOST_DESCRIBE_STRUCT(RecommendedRoom, (),
                      (roomId, anchorId, anchorName, state, tags, score, because))

struct Recommendations {
  ViewerId viewerId;
  std::vector<std::string> tags;  ///< the viewer's, own and by what it did
  std::vector<RecommendedRoom> items;
  std::optional<Time> asOf;
};
BOOST_DESCRIBE_STRUCT(Recommendations, (), (viewerId, tags, items, asOf))

inline constexpr int kRelatedMost = 100;
inline constexpr int kMatrixMost = 50;
inline constexpr int kRecommendedMost = 50;

class TagService {
 public:
  /// `anchors` null: the role is away, and no room can be recommended. `audience` null: a viewer's
  /// own tags are those it was last counted with, and nobody is unknown.
  TagService(db::Database& db2, const Clock& clock, const anchor::AnchorClient* anchors,
             audience::AudienceClient* audience)
      : db2_(db2), clock_(clock), anchors_(anchors), audience_(audience) {}

  drogon::Task<RelatedTags> related(std::string tag, int limit);
  drogon::Task<TagMatrix> matrix(int limit);
  /// Rejects with viewer_not_found and role_unavailable.
  drogon::Task<Result<Recommendations>> recommended(ViewerId viewer, int limit);

 private:
  Recommendations recommend(db::Connection& connection, ViewerId viewer,
                            std::optional<std::vector<std::string>> carried, int limit) const;
  std::vector<CandidateRoom> candidates(db::Connection& connection, ViewerId viewer,
                                        const std::vector<tagstore::Activity>& activity) const;

  db::Database& db2_;
  const Clock& clock_;
  const anchor::AnchorClient* anchors_;
  audience::AudienceClient* audience_;
};

}  // namespace tipflow::analysis
