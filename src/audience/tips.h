// The use cases of tips: give, find, list, follow. Writing is the lanes' work, settling finance's.
#pragma once

#include <array>
#include <shared_mutex>
#include <unordered_map>

#include "anchor/client.h"
#include "audience/client.h"
#include "audience/lanes.h"
#include "audience/rules.h"
#include "audience/tip_store.h"
#include "audience/tip_traces.h"
#include "audience/viewers.h"
#include "finance/client.h"

namespace tipflow::audience {

/// Running sums of sessions: this process's tips as they are committed, and those from before it.
class SessionSums {
 public:
  /// Adds what rooms that are live now got before this process: tips of lanes below its first.
  /// Once.
  void load(db::Connection& connection, const std::vector<anchor::RoomCard>& live,
            LaneId firstOwnLane);
  void add(const std::vector<NumberedTip>& tips);
  [[nodiscard]] TipSum of(SessionId session) const;

 private:
  mutable std::shared_mutex mutex_;
  std::unordered_map<SessionId, TipSum> sums_;
};

class TipService final : public AudienceClient {
 public:
  /// `finance` may be null: the role is away. So may `anchors`: then no room is known.
  TipService(db::Database& db1, Lanes& lanes, ViewerDirectory& viewers, SessionSums& sums,
             const anchor::AnchorClient* anchors, finance::FinanceClient* finance, TipPolicy policy,
             TipTraces& traces, Metrics& metrics);

  /// The tip as it stands in DB1, and whether this request put it there.
  struct Given {
    TipId id;
    Time acceptedAt;
    bool created = false;
  };
  drogon::Task<Result<Given>> give(ViewerId viewer, TipRequest request, TraceContext context);
  drogon::Task<BatchResults> giveBatch(TipBatchRequest request);

  drogon::Task<Result<ShownTip>> tip(TraceId traceId);
  drogon::Task<http::Page<ShownTip>> tips(store::TipFilter filter,
                                          std::optional<store::TipPlace> after, int limit);
  drogon::Task<Result<Journey>> journey(TraceId traceId);

  drogon::Task<std::vector<LaneSum>> laneSums(std::map<LaneId, LaneSeq> cursors) override;
  drogon::Task<TipSum> sessionSum(RoomId room, SessionId session, Time from, Time until) override;
  [[nodiscard]] TipSum liveSum(SessionId session) const override { return sums_.of(session); }

  /// Whether the room is the anchor's.
  [[nodiscard]] bool ownsRoom(AnchorId anchor, RoomId room) const {
    const auto card = anchors_ != nullptr ? anchors_->room(room) : std::nullopt;
    return card && card->anchor == anchor;
  }

 private:
  Result<Tip> checked(const ViewerCard& viewer, const TipRequest& request) const;
  drogon::Task<std::vector<ShownTip>> shown(std::vector<NumberedTip> tips);
  void count(const TipAnswer& answer) {
    outcomes_[static_cast<std::size_t>(answer.outcome)]->Increment();
  }

  db::Database& db1_;
  Lanes& lanes_;
  TipTraces& traces_;
  ViewerDirectory& viewers_;
  SessionSums& sums_;
  const anchor::AnchorClient* anchors_;
  finance::FinanceClient* finance_;
  TipPolicy policy_;
  std::array<prometheus::Counter*, kTipOutcomes> outcomes_{};  // by TipOutcome
};

}  // namespace tipflow::audience
