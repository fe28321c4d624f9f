// What the anchor role drops by age, on both databases.
#include "anchor/jobs.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "store/database.h"

namespace tipflow::anchor {
namespace {

using fixture::number;
using fixture::rows;
using ::testing::ElementsAre;

constexpr std::int64_t kDays = 30;
constexpr Duration kMinute{60 * kUsPerSecond};

class AnchorJobs : public ::testing::TestWithParam<fixture::Engine> {
 protected:
  void say(Time at, const std::string& text) {
    c->exec(
        "INSERT INTO chat_message (room_id, session_id, viewer_id, text, at) "
        "VALUES (1, 1, 1, ?, ?)",
        {text, at});
  }
  void kick(std::int64_t viewer, Time until) {
    c->exec(
        "INSERT INTO room_kick (room_id, viewer_id, until_at, reason, by_kind, by_id, "
        "created_at) VALUES (1, ?, ?, '', 2, 1, 0)",
        {viewer, until});
  }
  /// Runs the job as its scheduler does, under a lease.
  void run(const std::string& name) {
    for (const auto& spec : jobs(db, kDays)) {
      if (spec.name != name) continue;
      schedule::store::addJob(*c, {spec.name, spec.role, spec.every});
      const auto taken = schedule::store::take(*c, name, {"node", "process"}, kMinute);
      ASSERT_TRUE(taken);
      schedule::Run own(db, name, *taken, stopping, spec.limit);
      spec.work(own);
      return;
    }
    FAIL() << "there is no job " << name;
  }

  fixture::TestDatabase database{GetParam(), "db1"};
  std::unique_ptr<db::Connection> c = database.connect();
  db::Database db{"DB1", database.url(), {1, 100}};
  std::atomic<bool> stopping = false;
};
TIPFLOW_ON_BOTH(AnchorJobs);

TEST_P(AnchorJobs, drop_chat_that_is_older_than_it_is_kept) {
  const Time kept = c->now() - Duration{kDays * kUsPerDay};
  say(kept - kMinute, "old");
  say(kept + kMinute, "young");
  run("drop_old_chat");
  EXPECT_THAT(rows(*c, {"text"}, "chat_message"), ElementsAre("young"));
}

TEST_P(AnchorJobs, drop_all_old_chat_in_one_run_however_much_it_is) {
  const Time old = c->now() - Duration{(kDays + 1) * kUsPerDay};
  c->begin();
  for (int i = 0; i < 2'500; ++i) say(old, "old");
  c->commit();
  run("drop_old_chat");
  EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM chat_message"), 0);
}

TEST_P(AnchorJobs, drop_kicks_a_day_after_they_are_over) {
  const Time dayAgo = c->now() - Duration{kUsPerDay};
  kick(1, dayAgo - kMinute);
  kick(2, dayAgo + kMinute);
  kick(3, c->now() + kMinute);
  run("drop_restraints");
  EXPECT_THAT(rows(*c, {"viewer_id"}, "room_kick ORDER BY viewer_id"), ElementsAre("2", "3"));
}

}  // namespace
}  // namespace tipflow::anchor
