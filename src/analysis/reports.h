// Reports over the cube and its sums: who gave what, to whom, when, and who comes back. Their cost
// does not grow with the number of tips.
#pragma once

#include "analysis/model.h"
#include "analysis/report_store.h"
#include "anchor/client.h"
#include "platform/business_time.h"
#include "platform/db/database.h"
#include "platform/http/call.h"

namespace tipflow::analysis {

/// A range as it was asked for.
struct AskedRange {
  std::optional<Time> from;
  std::optional<Time> to;
};

/// Each fails as `hourRange` does.
class Reports {
 public:
  /// `anchors` may be null: the role is away, and names are null.
  Reports(db::Database& db2, const Clock& clock, const BusinessTime& businessTime,
          const anchor::AnchorClient* anchors)
      : db2_(db2), clock_(clock), businessTime_(businessTime), anchors_(anchors) {}

  /// Fails with range_too_long as well when the items were too many.
  drogon::Task<Result<Hourly>> hourly(AskedRange asked, Groups groups, CubeFilter filter);
  /// The range widened to whole business days.
  drogon::Task<Result<MetricsAnswer>> metrics(AskedRange asked);
  drogon::Task<Result<AnchorRanking>> ranking(AskedRange asked, int limit);
  drogon::Task<Result<AnchorSummary>> summary(AnchorId anchor, AskedRange asked);
  drogon::Task<Result<Heatmap>> heatmap(AskedRange asked, std::optional<AnchorId> anchor);
  /// The range widened to whole business days.
  drogon::Task<Result<Retention>> retention(AskedRange asked);
  /// By day: the range widened to whole business days.
  drogon::Task<Result<Trend>> trend(AskedRange asked, Step step);

 private:
  /// Business days, [first, end), and the hours they begin and end with.
  struct Days {
    std::int64_t first = 0;
    std::int64_t end = 0;
    HourRange hours;
  };
  [[nodiscard]] Result<HourRange> rangeOf(AskedRange asked) const;
  [[nodiscard]] Result<Days> daysOf(AskedRange asked) const;
  [[nodiscard]] store::CubeQuestion question(const HourRange& range, Groups groups,
                                             CubeFilter filter) const;
  [[nodiscard]] std::optional<std::string> anchorName(AnchorId anchor) const;
  [[nodiscard]] Trend trendOf(const HourRange& range,
                              const std::map<store::CubeKey, Sum>& hours) const;
  [[nodiscard]] Trend trendOf(const Days& days, const std::map<store::CubeKey, Sum>& hours,
                              const std::map<std::int64_t, ViewerSet>& payers) const;

  db::Database& db2_;
  const Clock& clock_;
  const BusinessTime& businessTime_;
  const anchor::AnchorClient* anchors_;
};

}  // namespace tipflow::analysis
