// Both databases with tips, settlements and withdrawals between them as the audience and finance
// roles leave them: what an auditor must find nothing wrong with until a test plants it.
#pragma once

#include <memory>

#include "base/ids.h"
#include "base/time.h"
#include "store/database.h"

namespace tipflow::db {
class Database;
}

namespace tipflow::fixture {

class SoundBooks {
 public:
  /// Lanes 1 and 2 with 40 tips each for anchors 31 to 33, 100 s apart, lane 1 settled whole, lane
  /// 2 up to number 33; lane 3 with 5 tips and none settled. The platform's rate is one half;
  /// anchor 31's own starts with tip 21 of each lane. Of anchor 31's withdrawals number 1 is paid,
  /// 2 rejected, 3 pending, and 4 pending though the provider has paid it.
  explicit SoundBooks(Engine engine);
  ~SoundBooks();

  // Each of these works on a connection of its own, so that threads may call them side by side.

  /// Tips numbered on from where the lane ends, one statement a thousand.
  void give(LaneId lane, std::int64_t count);
  /// Settles the lane up to `seq`, in batches of at most 2,000.
  void settle(LaneId lane, LaneSeq seq);
  /// Reserves, pays by the provider, and finishes.
  void withdraw(AnchorId anchor, std::int64_t fen);

  [[nodiscard]] std::int64_t tipId(std::int64_t lane, std::int64_t seq) const {
    return tipIdOf(LaneId{lane}, LaneSeq{seq}).value;
  }
  [[nodiscard]] Time acceptedAt(std::int64_t seq) const { return start_ + (seq - 1) * kApart; }

  TestDatabase db1;
  TestDatabase db2;
  std::unique_ptr<db::Connection> c1;
  std::unique_ptr<db::Connection> c2;

 private:
  static constexpr Duration kApart{100 * kUsPerSecond};

  Time start_;
  std::unique_ptr<db::Database> pool_;
};

}  // namespace tipflow::fixture
