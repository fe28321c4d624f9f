// The use cases of tips: give, find, list, follow. Writing is the lanes' work, settling finance's.
#pragma once

#include <array>
#include <set>

#include "analysis/client.h"
#include "anchor/client.h"
#include "audience/client.h"
#include "audience/lanes.h"
#include "audience/rules.h"
#include "audience/session_boards.h"
#include "audience/session_sums.h"
#include "audience/tip_store.h"
#include "audience/tip_traces.h"
#include "audience/viewers.h"
#include "finance/client.h"

namespace tipflow::audience {

class TipService final : public AudienceClient {
 public:
  /// `finance` may be null: the role is away. So may `anchors`: then no room is known.
  TipService(db::Database& db1, Lanes& lanes, ViewerDirectory& viewers, const SessionSums& sums,
             SessionBoards& boards, anchor::AnchorClient* anchors, finance::FinanceClient* finance,
             TipPolicy policy, TipTraces& traces, Metrics& metrics);

  /// Before requests are taken; null: nobody says what is counted.
  void showCountedBy(analysis::AnalysisClient* analysis) { analysis_ = analysis; }

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
  drogon::Task<std::vector<ViewerFacts>> viewerFacts(std::vector<ViewerId> viewers) override;
  drogon::Task<SessionBoard> sessionTop(RoomId room, SessionId session, Time openedAt, int limit,
                                        bool asOperator) override {
    return boards_.top(room, session, openedAt, limit, asOperator);
  }
  drogon::Task<std::vector<TagUse>> tagUse(std::optional<std::string> part, std::string after,
                                           int limit) override;

  /// Tips made since the start.
  [[nodiscard]] double created() const {
    return outcomes_[static_cast<std::size_t>(TipOutcome::created)]->Value();
  }

  /// Whether the room is the anchor's.
  [[nodiscard]] bool ownsRoom(AnchorId anchor, RoomId room) const {
    const auto card = anchors_ != nullptr ? anchors_->room(room) : std::nullopt;
    return card && card->anchor == anchor;
  }

 private:
  /// Makes sure that rooms are not refused because of what is known late.
  drogon::Task<> learnOf(std::set<RoomId> rooms);
  Result<Tip> checked(const ViewerCard& viewer, const TipRequest& request) const;
  /// Of the places in `refused`, those whose tip was taken before are answered as before.
  drogon::Task<> answerRepeats(const std::vector<BatchTipRequest>& asked,
                               std::vector<std::size_t> refused, BatchResults& answer);
  /// As analysis says; nullopt also while it is away.
  [[nodiscard]] drogon::Task<std::optional<Time>> countedBy(TipId tip) const;
  drogon::Task<std::vector<ShownTip>> shown(std::vector<NumberedTip> tips);
  void count(const TipAnswer& answer) {
    outcomes_[static_cast<std::size_t>(answer.outcome)]->Increment();
  }

  db::Database& db1_;
  Lanes& lanes_;
  TipTraces& traces_;
  ViewerDirectory& viewers_;
  const SessionSums& sums_;
  SessionBoards& boards_;
  anchor::AnchorClient* anchors_;
  finance::FinanceClient* finance_;
  analysis::AnalysisClient* analysis_ = nullptr;
  TipPolicy policy_;
  std::array<prometheus::Counter*, kTipOutcomes> outcomes_{};  // by TipOutcome
};

}  // namespace tipflow::audience
