// The use cases of viewers, and the node's memory of who they are.
#pragma once

#include <array>
#include <atomic>
#include <list>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "analysis/client.h"
#include "audience/viewer_store.h"
#include "platform/bus.h"
#include "platform/db/database.h"
#include "platform/http/call.h"
#include "platform/metrics.h"
#include "platform/passwords.h"
#include "platform/sign_in.h"

namespace tipflow::audience {

/// Viewers' cards, read from DB1 on demand and kept until the bus says they changed, or that it may
/// have missed saying so: then all are read again, and those at hand serve until then. Bounded.
class ViewerDirectory {
 public:
  ViewerDirectory(db::Database& db1, Bus& bus);
  ~ViewerDirectory();
  ViewerDirectory(const ViewerDirectory&) = delete;
  ViewerDirectory& operator=(const ViewerDirectory&) = delete;

  /// Before it is used.
  void measure(CacheCounters counters) { counters_ = counters; }
  /// From memory alone.
  [[nodiscard]] std::optional<ViewerCard> known(ViewerId id) const;
  drogon::Task<std::optional<ViewerCard>> card(ViewerId id);
  /// Those of `ids` that exist.
  drogon::Task<std::unordered_map<ViewerId, ViewerCard>> cards(std::vector<ViewerId> ids);
  /// The viewer changed: forget it here and elsewhere. To be called after the commit.
  void changed(ViewerId id);
  /// Reads all that are at hand once more.
  drogon::Task<> readAgain();

 private:
  struct Shard {
    mutable std::shared_mutex mutex;
    std::unordered_map<ViewerId, ViewerCard> cards;
    std::uint64_t forgotten = 0;  // so that a read from before a change is not kept after it
  };
  Shard& shardOf(ViewerId id) {
    return shards_[static_cast<std::size_t>(id.value) % shards_.size()];
  }
  const Shard& shardOf(ViewerId id) const {
    return shards_[static_cast<std::size_t>(id.value) % shards_.size()];
  }
  std::uint64_t forgottenOf(ViewerId id) const;
  void keep(const ViewerCard& card, std::uint64_t forgottenBefore);
  void forget(ViewerId id);
  drogon::Task<> readAgain(Shard& shard);
  static std::vector<ViewerId> idsIn(const Shard& shard);
  static std::uint64_t distrust(Shard& shard);
  static void renew(Shard& shard, const std::vector<ViewerId>& ids,
                    const std::vector<ViewerCard>& cards, std::uint64_t before);

  db::Database& db1_;
  Bus& bus_;
  std::array<Shard, 64> shards_;
  CacheCounters counters_;
  std::atomic<int> gaps_{0};  // that are not made good yet
  std::atomic<bool> leaving_{false};
};

class ViewerService final : public AccountDirectory {
 public:
  ViewerService(db::Database& db1, ViewerDirectory& directory, Passwords& passwords, Tokens& tokens,
                const Clock& clock)
      : db1_(db1), directory_(directory), passwords_(passwords), tokens_(tokens), clock_(clock) {}

  /// Before it is used. Without it, and while it is away, tiers are null.
  void showTiersBy(analysis::AnalysisClient* analysis) { analysis_ = analysis; }

  drogon::Task<Result<Viewer>> registerViewer(RegisterViewer request);
  drogon::Task<NewGuest> makeGuest();
  drogon::Task<Result<Viewer>> viewer(ViewerId id);
  drogon::Task<http::Page<Viewer>> viewers(std::optional<std::string> name,
                                           std::optional<ViewerKind> kind, std::int64_t before,
                                           int limit);
  drogon::Task<Result<Viewer>> changeViewer(ViewerId id, ChangeViewer change);
  drogon::Task<Result<Viewer>> upgrade(ViewerId id, RegisterViewer request);
  drogon::Task<Result<Viewer>> setState(ViewerId id, ViewerState state);
  drogon::Task<std::optional<Account>> account(std::string name) override;

 private:
  drogon::Task<store::NewViewer> newRegistered(RegisterViewer request);
  drogon::Task<> addTiers(std::vector<Viewer>& viewers);

  db::Database& db1_;
  ViewerDirectory& directory_;
  Passwords& passwords_;
  Tokens& tokens_;
  const Clock& clock_;
  analysis::AnalysisClient* analysis_ = nullptr;
};

}  // namespace tipflow::audience
